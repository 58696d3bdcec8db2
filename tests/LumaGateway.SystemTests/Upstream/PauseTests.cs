using System.Net;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>The upstream asks to be left alone for a while.</summary>
public sealed class PauseTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("fault-status-429-r6-pause")]
    [InlineData("fault-status-503-r6-pause")]
    public async Task What_the_upstream_asks_of_one_replica_all_of_them_keep(string throttled)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(3, redis.Endpoint, ("Luma:Deadline", "00:00:03"), ("Luma:AttemptTimeout", "00:00:02.5"));
        foreach (var replica in fleet.Replicas)
        {
            await Wait.UntilAsync(() => AnswersAsync(replica, "done-warm"), TimeSpan.FromSeconds(20), () => replica.Log); // a cold start may miss so short a deadline
        }

        await fleet.Sandbox.ForgetCountsAsync();

        var begun = TimeProvider.System.GetTimestamp();
        using var told = await fleet.Replicas[0].GetAsync(throttled);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, told.StatusCode);
        Assert.InRange(told.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 6);

        var load = SteadyLoad.Begin(50, number => fleet.Replicas[number % 3].GetAsync($"processing-{number}"));
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5)); // callers whose deadline is later than the pause's end would wait for it
        var asked = (await fleet.Sandbox.CountsAsync()).Total;
        var figures = await load.EndAsync();
        var known = await fleet.Replicas[1].ReadAsync("done-warm");

        output.WriteLine($"{figures}; upstream requests within the pause: {asked}");
        Assert.Equal(1, asked);
        Assert.Contains("completed", known, StringComparison.Ordinal);
        var over = await Wait.UntilAsync(
            () => AnswersAsync(fleet.Replicas[2], "processing-after"), TimeSpan.FromSeconds(10), () => "The pause does not end.");
        output.WriteLine($"asked again {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:0.0} s after it was told, {over.TotalSeconds:0.0} s of them waited");
    }

    private static async Task<bool> AnswersAsync(GatewayProcess replica, string id)
    {
        using var answer = await replica.GetAsync(id);
        return answer.IsSuccessStatusCode;
    }
}
