using System.Net;
using System.Net.Http.Headers;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Callers that delete or purge a generation of their own which every replica has in memory, and read it again from every replica. Thread-safe.
/// </summary>
internal sealed class Deleters(ChaosSystem system, Exchange exchange, Faults faults, Findings findings, string name, TimeProvider clock)
{
    /// <summary>A message to the other replicas arrives within this time, also without much CPU time.</summary>
    private static readonly TimeSpan MessageArrives = TimeSpan.FromSeconds(2);

    /// <summary>When the reads are repeated: late writes of an old response would be seen then.</summary>
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(4);

    /// <summary>Deletes (even numbers) or purges (odd numbers).</summary>
    public async Task<HttpResponseMessage> DeleteAsync(int number)
    {
        var isDelete = number % 2 == 0;
        var id = $"{(isDelete ? "deleted" : "purged")}-{name}{number}";
        await system.Sandbox.MoveAsync(id, "completed");
        for (var replica = 0; replica < system.Replicas.Count; replica++)
        {
            using var known = await SendAsync(HttpMethod.Get, $"/generations/{id}", replica);
        }

        var begun = clock.GetTimestamp();
        var isPeace = faults.Redis.IsAtPeace;
        await (isDelete ? DeleteUpstreamAsync(id) : system.Sandbox.MoveAsync(id, "failed"));
        var response = await SendAsync(HttpMethod.Delete, PathOf(isDelete, id, number), number);
        foreach (var pause in isPeace && (response.IsSuccessStatusCode || response.StatusCode is HttpStatusCode.NotFound) && !response.Headers.ToString().Contains("purge_pending", StringComparison.Ordinal) ? [MessageArrives, Later] : Array.Empty<TimeSpan>())
        {
            await Wait.ForAsync(pause);
            for (var i = 0; i < system.Replicas.Count; i++)
            {
                await JudgeAsync(id, i, begun);
            }
        }

        return response;
    }

    private async Task JudgeAsync(string id, int number, long begun)
    {
        var (replica, process, _) = exchange.Choose(number);
        using var read = await SendAsync(HttpMethod.Get, $"/generations/{id}", number);
        var body = await read.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        if (!faults.Redis.IsAtPeace || faults.Shared.MayHaveLostMessages(begun, clock.GetTimestamp()) || !replica.IsUndisturbedSince(begun))
        {
            return; // a replica may not have heard of it, or Redis may have lost it in a failover
        }

        var isOld = read.IsSuccessStatusCode && body.Contains("\"state\":\"completed\"", StringComparison.Ordinal);
        findings.Check(Invariant.PurgedNeverReturns, !isOld, () => $"{id} at replica {process}, {clock.GetElapsedTime(begun).TotalSeconds:0.0} s after: {body}");
    }

    /// <summary>The emulated relay has no DELETE; another dialect of the same sandbox has. The gateway's own DELETE is then answered with 404, which purges too.</summary>
    private async Task DeleteUpstreamAsync(string id)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(system.Sandbox.Address, $"/dream-machine/v1/generations/{id}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", faults.Token.Current);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string PathOf(bool isDelete, string id, int number) => (isDelete, number / 2 % 3) switch
    {
        (false, _) => $"/generations/{id}/cache",
        (true, 0) => $"/luma/generations/{id}",
        (true, 1) => $"/luma/generations/{id}/",
        (true, _) => $"/LUMA/Generations/{id}",
    };

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, int number)
    {
        using var request = new HttpRequestMessage(method, new Uri(exchange.Choose(number).Address, path));
        return await exchange.SendAsync(request);
    }
}
