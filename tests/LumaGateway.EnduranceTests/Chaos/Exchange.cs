
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Sends callers' requests to replicas that run, and shows the witness what came of them. Thread-safe.</summary>
internal sealed class Exchange(ChaosSystem system, Faults faults, Witness witness, Findings findings, HttpClient http, TimeProvider clock)
{
    private readonly long _begun = clock.GetTimestamp();

    /// <summary>Since the run began.</summary>
    public TimeSpan Now => clock.GetElapsedTime(_begun);

    public Witness Witness => witness;

    /// <summary>The nth replica, or the next one that runs: what a load balancer does.</summary>
    public (Replica Replica, string Name, Uri Address) Choose(int number)
    {
        for (var i = 0; i < system.Replicas.Count; i++)
        {
            var replica = system.Replicas[(number + i) % system.Replicas.Count];
            if (replica.Now is var (name, address))
            {
                return (replica, name, address);
            }
        }

        throw new HttpRequestException("No replica runs.");
    }

    /// <summary>Asks about one generation. Throws where no answer came, after the witness was told.</summary>
    public async Task<HttpResponseMessage> AskAsync(string route, string id, string path, int number, string? prefer = null)
    {
        var (replica, name, address) = Choose(number);
        var (begun, timestamp, isAtPeace) = (Now, clock.GetTimestamp(), faults.Redis.IsAtPeace);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
        if (prefer is not null)
        {
            request.Headers.Add("Prefer", prefer);
        }

        try
        {
            var response = await SendAsync(request);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Tell(response, body);
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Tell(null, exception.Message);
            throw;
        }

        void Tell(HttpResponseMessage? response, string body) => witness.Saw(
            new Seen(name, id, begun, Now, (int?)response?.StatusCode ?? 0, body, response?.Content.Headers.ContentType?.MediaType, response?.Headers.ETag?.Tag)
            {
                Route = route,
                IsReplicaUndisturbed = replica.IsUndisturbedSince(timestamp),
                IsRedisAtPeace = isAtPeace && faults.Redis.IsAtPeace,
            });
    }

    /// <summary>Any request, its answer whole, looked through for secrets.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        request.Headers.Add("X-Api-Key", GatewayProcess.ClientKey);
        var response = await http.SendAsync(request, completion, TestContext.Current.CancellationToken);
        var told = response.Headers + (completion is HttpCompletionOption.ResponseContentRead ? await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken) : "");
        findings.Check(Invariant.SecretsAreKept, !Secrets.AreIn(told), () => $"{request.Method} {request.RequestUri}: {told}");
        return response;
    }
}
