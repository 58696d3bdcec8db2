using System.Net;
using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>The upstream is down. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class OutageTests(SharedSystem shared)
{
    private const string LongPause = "00:10:00";
    private const string ShortPause = "00:00:00.5";

    [Theory]
    [InlineData("reset")]
    [InlineData("hang")]
    public async Task Final_entries_are_served_stale_and_the_open_breaker_stops_upstream_requests(string fault)
    {
        string[] finalIds = [.. Enumerable.Range(0, 3).SelectMany(i => new[] { $"done-outage-{fault}-{i}", $"fail-outage-{fault}-{i}" })];
        await using var group = await shared.StartAsync(
            1,
            $"outage-{fault}",
            ("Freshness:Completed", "00:00:01"),
            ("Luma:AttemptTimeout", "00:00:01"),
            ("Luma:Retries", "0"),
            ("Luma:BreakerMinimumCalls", "2"),
            ("Luma:BreakerWindow", "00:05:00"),
            ("Luma:BreakerPause", LongPause),
            ("Cache:StaleIfErrorAfter", "00:00:00.2"));
        var other = await group.AddAsync(("Luma:BreakerPause", ShortPause));
        var replica = group.Replicas[0];
        foreach (var id in finalIds)
        {
            // The first replica reads them from Redis, because its breaker would stay open if its first requests time out.
            await Wait.UntilAsync(() => RespondsAsync(other, id), () => other.Log);
            await FreshnessOfAsync(replica, id);
        }

        await shared.Sandbox.AddFaultAsync(new SandboxFault(fault) { Match = $"GET *-outage-{fault}-*" });
        foreach (var id in finalIds.Where(id => id.StartsWith("done", StringComparison.Ordinal)))
        {
            await Wait.UntilAsync(async () => await FreshnessOfAsync(replica, id) is "stale", () => $"{id} does not become stale.");
        }

        foreach (var one in group.Replicas)
        {
            await Wait.UntilAsync(
                async () =>
                {
                    await AssertProblemAsync(one, $"processing-outage-{fault}-{Guid.NewGuid():N}");
                    return await IsBreakerOpenAsync(one);
                },
                () => $"The breaker does not open.\n{one.Log}");
        }

        for (var i = 0; i < 20; i++)
        {
            Assert.NotNull(await FreshnessOfAsync(replica, finalIds[i % finalIds.Length]));
            await AssertProblemAsync(replica, $"processing-outage-{fault}-late-{i}");
        }

        Assert.DoesNotContain((await shared.Sandbox.CountsAsync()).ById.Keys, id => id.StartsWith($"processing-outage-{fault}-late-", StringComparison.Ordinal));
        await Wait.UntilAsync(() => RespondsAsync(other, $"processing-back-{fault}"), () => "The upstream gets no requests again.");
    }

    private static async Task<bool> RespondsAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Reads a final generation. Returns <c>stale</c> or <c>fresh</c>.</summary>
    private static async Task<string> FreshnessOfAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        Assert.True(response.StatusCode is HttpStatusCode.OK, $"{id} returned {(int)response.StatusCode}.\n{replica.Log}");
        return response.Headers.GetValues("Cache-Status").Single().Contains("ttl=-", StringComparison.Ordinal) ? "stale" : "fresh";
    }

    private static async Task AssertProblemAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        Assert.True((int)response.StatusCode is 502 or 503 or 504, $"{id} returned {(int)response.StatusCode}.");
    }

    private static async Task<bool> IsBreakerOpenAsync(GatewayProcess replica) =>
        (await replica.Client.GetStringAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken)).Contains("\"upstream\":\"degraded\"", StringComparison.Ordinal);
}
