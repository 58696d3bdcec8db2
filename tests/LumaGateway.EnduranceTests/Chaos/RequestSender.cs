namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Sends requests to running replicas and passes the responses to the checker. Thread-safe.</summary>
internal sealed class RequestSender(ChaosSystem system, Faults faults, ResponseChecker checker, Findings findings, HttpClient http, TimeProvider clock)
{
    private readonly long _started = clock.GetTimestamp();

    /// <summary>The time since the start of the run.</summary>
    public TimeSpan Now => clock.GetElapsedTime(_started);

    /// <summary>The timestamp of a time of the run.</summary>
    public long TimestampAt(TimeSpan time) => _started + (long)(time.TotalSeconds * clock.TimestampFrequency);

    public ResponseChecker Checker => checker;

    /// <summary>The replica with this number, or the next running one, as a load balancer does.</summary>
    public (Replica Replica, string Name, Uri Address) ChooseReplica(int number)
    {
        for (var i = 0; i < system.Replicas.Count; i++)
        {
            var replica = system.Replicas[(number + i) % system.Replicas.Count];
            if (replica.Current is var (name, address))
            {
                return (replica, name, address);
            }
        }

        throw new HttpRequestException("No replica runs.");
    }

    /// <summary>Reads one generation. Without a response it informs the checker and throws.</summary>
    public async Task<HttpResponseMessage> ReadAsync(string route, string id, string path, int number, string? prefer = null)
    {
        var (replica, name, address) = ChooseReplica(number);
        var (started, timestamp, isStable) = (Now, clock.GetTimestamp(), faults.Redis.IsStable);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
        if (prefer is not null)
        {
            request.Headers.Add("Prefer", prefer);
        }

        try
        {
            var response = await SendAsync(request);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Check(response, body);
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Check(null, exception.Message);
            throw;
        }

        void Check(HttpResponseMessage? response, string body) => checker.Check(
            new ObservedResponse(name, id, started, Now, (int?)response?.StatusCode ?? 0, body, response?.Content.Headers.ContentType?.MediaType, response?.Headers.ETag?.Tag)
            {
                Route = route,
                HadReplicaNoFault = replica.HadNoFaultSince(timestamp),
                IsRedisStable = isStable && faults.Redis.IsStable,
            });
    }

    /// <summary>Sends any request and checks the response for secrets.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        request.Headers.Add("X-Api-Key", GatewayProcess.ClientKey);
        var response = await http.SendAsync(request, completion, TestContext.Current.CancellationToken);
        var text = response.Headers + (completion is HttpCompletionOption.ResponseContentRead ? await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken) : "");
        findings.Check(Invariant.NoSecretLeaks, !Secrets.AreIn(text), () => $"{request.Method} {request.RequestUri}: {text}");
        return response;
    }
}
