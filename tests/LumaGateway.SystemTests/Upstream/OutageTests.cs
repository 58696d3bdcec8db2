using System.Net;
using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>The upstream is gone. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class OutageTests(SharedSystem shared)
{
    private const string Never = "00:10:00";
    private const string Soon = "00:00:00.5";

    [Theory]
    [InlineData("reset")]
    [InlineData("hang")]
    public async Task Finished_answers_go_on_stale_ones_too_and_the_dead_upstream_is_left_alone(string fault)
    {
        string[] finished = [.. Enumerable.Range(0, 3).SelectMany(i => new[] { $"done-outage-{fault}-{i}", $"fail-outage-{fault}-{i}" })];
        await using var fleet = await shared.StartAsync(
            1,
            $"outage-{fault}",
            ("Freshness:Completed", "00:00:01"),
            ("Luma:AttemptTimeout", "00:00:01"),
            ("Luma:Retries", "0"),
            ("Luma:BreakerMinimumCalls", "2"),
            ("Luma:BreakerWindow", "00:05:00"),
            ("Luma:BreakerPause", Never),
            ("Cache:CoverAfter", "00:00:00.2"));
        var other = await fleet.AddAsync(("Luma:BreakerPause", Soon));
        var replica = fleet.Replicas[0];
        foreach (var id in finished)
        {
            // The first replica, whose breaker would stay open, has them from Redis: a cold start may miss so short a time-out.
            await Wait.UntilAsync(() => IsAnsweredAsync(other, id), () => other.Log);
            await AnswerAsync(replica, id);
        }

        await shared.Sandbox.BreakAsync(new SandboxFault(fault) { Match = $"GET *-outage-{fault}-*" });
        foreach (var id in finished.Where(id => id.StartsWith("done", StringComparison.Ordinal)))
        {
            await Wait.UntilAsync(async () => await AnswerAsync(replica, id) is "stale", () => $"{id} does not become stale.");
        }

        foreach (var one in fleet.Replicas)
        {
            await Wait.UntilAsync(
                async () =>
                {
                    await AssertProblemAsync(one, $"processing-outage-{fault}-{Guid.NewGuid():N}");
                    return await IsLeftAloneAsync(one);
                },
                () => $"The breaker does not open.\n{one.Log}");
        }

        for (var i = 0; i < 20; i++)
        {
            Assert.NotNull(await AnswerAsync(replica, finished[i % finished.Length]));
            await AssertProblemAsync(replica, $"processing-outage-{fault}-late-{i}");
        }

        Assert.DoesNotContain((await shared.Sandbox.CountsAsync()).ById.Keys, id => id.StartsWith($"processing-outage-{fault}-late-", StringComparison.Ordinal));
        await Wait.UntilAsync(() => IsAnsweredAsync(other, $"processing-back-{fault}"), () => "The upstream is not asked again.");
    }

    private static async Task<bool> IsAnsweredAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        return response.IsSuccessStatusCode;
    }

    /// <summary>How a finished id is answered, which it must be: <c>stale</c>, or <c>fresh</c>.</summary>
    private static async Task<string> AnswerAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        Assert.True(response.StatusCode is HttpStatusCode.OK, $"{id} was answered with {(int)response.StatusCode}.\n{replica.Log}");
        return response.Headers.GetValues("Cache-Status").Single().Contains("ttl=-", StringComparison.Ordinal) ? "stale" : "fresh";
    }

    private static async Task AssertProblemAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        Assert.True((int)response.StatusCode is 502 or 503 or 504, $"{id} was answered with {(int)response.StatusCode}.");
    }

    private static async Task<bool> IsLeftAloneAsync(GatewayProcess replica) =>
        (await replica.Client.GetStringAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken)).Contains("\"upstream\":\"degraded\"", StringComparison.Ordinal);
}
