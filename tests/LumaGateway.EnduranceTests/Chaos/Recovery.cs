using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Measures how long the system takes to recover after the last fault.</summary>
internal sealed class Recovery(ChaosSystem system, RequestSender sender, Findings findings, HttpClient http, TimeProvider clock)
{
    /// <summary>
    /// The longest sequence of delays: the deadline of a request that starts during the last fault (15 s), then an open circuit (5 s) or two checks of
    /// the token file (2 × 2 s), then the pause of Redis (2 s) and a failover. The rest allows for a loaded machine.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public async Task<TimeSpan> MeasureAsync(int round)
    {
        var started = clock.GetTimestamp();
        var failure = "";
        for (var attempt = 0; ; attempt++)
        {
            failure = await FailureAsync($"recovery-r{round}t{attempt}");
            var elapsed = clock.GetElapsedTime(started);
            if (failure is null || elapsed > Limit)
            {
                findings.Check(Invariant.SystemRecovers, failure is null, () => $"{elapsed.TotalSeconds:0.0} s after the faults of round {round} ended: {failure}");
                return elapsed;
            }

            await Wait.ForAsync(TimeSpan.FromMilliseconds(200));
        }
    }

    /// <summary>Returns what has not recovered; null if everything has.</summary>
    private async Task<string?> FailureAsync(string name)
    {
        try
        {
            foreach (var replica in system.Replicas)
            {
                var health = await http.GetFromJsonAsync<JsonElement>(new Uri(replica.Gateway.Address, "/health/ready"), TestContext.Current.CancellationToken);
                if (health.GetProperty("status").GetString() is not "healthy")
                {
                    return $"replica {replica.Number} reports {health}";
                }
            }

            return await SharingFailureAsync(name) ?? await FinalFailureAsync() ?? await LongPollFailureAsync(name);
        }
        catch (HttpRequestException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Checks that a response which one replica fetched is shared with the others.</summary>
    private async Task<string?> SharingFailureAsync(string name)
    {
        var id = Ids.New(name, 0);
        for (var i = 0; i < system.Replicas.Count; i++)
        {
            using var response = await sender.ReadAsync("probe", id, $"/generations/{id}", i);
            if (!response.IsSuccessStatusCode)
            {
                return $"replica {i} returns {(int)response.StatusCode} for {id}";
            }
        }

        return await system.Sandbox.CountAsync(id) is not 1 and var reads ? $"{reads} reads of {id} reached the upstream" : null;
    }

    /// <summary>Checks that every replica serves the final generations.</summary>
    private async Task<string?> FinalFailureAsync()
    {
        foreach (var id in Ids.Cached.Concat(sender.Checker.FinalIds.TakeLast(20)))
        {
            for (var i = 0; i < system.Replicas.Count; i++)
            {
                using var response = await sender.ReadAsync("probe", id, $"/generations/{id}", i);
                var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if (!text.Contains("\"state\":\"completed\"", StringComparison.Ordinal) && !text.Contains("\"state\":\"failed\"", StringComparison.Ordinal))
                {
                    return $"replica {i} returns {(int)response.StatusCode} for the final {id}: {text}";
                }
            }
        }

        return null;
    }

    /// <summary>Checks that a long poll on each replica gets the final state in time.</summary>
    private async Task<string?> LongPollFailureAsync(string name)
    {
        var failures = await Task.WhenAll(Enumerable.Range(0, system.Replicas.Count).Select(async i =>
        {
            var id = $"run-1-{name}-{i}";
            using var response = await sender.ReadAsync("wait", id, $"/generations/{id}", i, "wait=8");
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return text.Contains("\"state\":\"completed\"", StringComparison.Ordinal) ? null : $"a long poll of {id} on replica {i} gets {text}";
        }));
        return failures.FirstOrDefault(failure => failure is not null);
    }
}
