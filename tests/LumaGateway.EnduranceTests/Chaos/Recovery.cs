using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Finds out how long the system takes to be as it was when the last fault is undone.</summary>
internal sealed class Recovery(ChaosSystem system, Exchange exchange, Findings findings, HttpClient http, TimeProvider clock)
{
    /// <summary>
    /// The longest of what may follow one another: a request's whole deadline (15 s) that began in the last fault, and in its wake a circuit that
    /// stays open (5 s) or a token file that is looked at twice (2 × 2 s), then a Redis left alone (2 s) and a Sentinel's word followed; the rest
    /// is for a machine that has other work.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public async Task<TimeSpan> MeasureAsync(int round)
    {
        var begun = clock.GetTimestamp();
        var complaint = "";
        for (var tries = 0; ; tries++)
        {
            complaint = await ComplaintAsync($"recovery-r{round}t{tries}");
            var took = clock.GetElapsedTime(begun);
            if (complaint is null || took > Limit)
            {
                findings.Check(Invariant.EverythingRecovers, complaint is null, () => $"{took.TotalSeconds:0.0} s after the faults of round {round} ended: {complaint}");
                return took;
            }

            await Wait.ForAsync(TimeSpan.FromMilliseconds(200));
        }
    }

    /// <summary>What is not as it should be; null when nothing is left.</summary>
    private async Task<string?> ComplaintAsync(string name)
    {
        try
        {
            foreach (var replica in system.Replicas)
            {
                var health = await http.GetFromJsonAsync<JsonElement>(new Uri(replica.Gateway.Address, "/health/ready"), TestContext.Current.CancellationToken);
                if (health.GetProperty("status").GetString() is not "healthy")
                {
                    return $"replica {replica.Number} says {health}";
                }
            }

            return await SharingComplaintAsync(name) ?? await KnowledgeComplaintAsync() ?? await WaitingComplaintAsync(name);
        }
        catch (HttpRequestException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>What one replica fetched, the others have.</summary>
    private async Task<string?> SharingComplaintAsync(string name)
    {
        var id = Ids.New(name, 0);
        for (var i = 0; i < system.Replicas.Count; i++)
        {
            using var answer = await exchange.AskAsync("probe", id, $"/generations/{id}", i);
            if (!answer.IsSuccessStatusCode)
            {
                return $"replica {i} answers {(int)answer.StatusCode} for {id}";
            }
        }

        return await system.Sandbox.CountAsync(id) is not 1 and var asked ? $"{asked} reads of {id} reached the upstream" : null;
    }

    /// <summary>Every replica knows again of everything that ever finished.</summary>
    private async Task<string?> KnowledgeComplaintAsync()
    {
        foreach (var id in Ids.Treasures.Concat(exchange.Witness.Finished.TakeLast(20)))
        {
            for (var i = 0; i < system.Replicas.Count; i++)
            {
                using var answer = await exchange.AskAsync("probe", id, $"/generations/{id}", i);
                var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if (!text.Contains("\"state\":\"completed\"", StringComparison.Ordinal) && !text.Contains("\"state\":\"failed\"", StringComparison.Ordinal))
                {
                    return $"replica {i} answers {(int)answer.StatusCode} for the finished {id}: {text}";
                }
            }
        }

        return null;
    }

    /// <summary>Who waits on a replica is told in time, whichever replica asks the upstream.</summary>
    private async Task<string?> WaitingComplaintAsync(string name)
    {
        var complaints = await Task.WhenAll(Enumerable.Range(0, system.Replicas.Count).Select(async i =>
        {
            var id = $"run-1-{name}-{i}";
            using var answer = await exchange.AskAsync("wait", id, $"/generations/{id}", i, "wait=8");
            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return text.Contains("\"state\":\"completed\"", StringComparison.Ordinal) ? null : $"who waits at replica {i} for {id} is told {text}";
        }));
        return complaints.FirstOrDefault(complaint => complaint is not null);
    }
}
