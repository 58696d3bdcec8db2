namespace LumaGateway.EnduranceTests.Load;

/// <summary>The upstream sends a <c>Retry-After</c>, under 50 requests a second. Needs redis-server or Garnet.</summary>
public sealed class RetryAfterTests(ITestOutputHelper output)
{
    private const int PerSecond = 50;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(6);

    [Theory]
    [InlineData("fault-status-429-r6-pause")]
    [InlineData("fault-status-503-r6-pause")]
    public async Task All_replicas_respect_a_RetryAfter_that_one_replica_got(string throttled)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint, ("Luma:Deadline", "00:00:03"), ("Luma:AttemptTimeout", "00:00:02.5"));
        foreach (var replica in group.Replicas)
        {
            await Wait.UntilAsync(() => SucceedsAsync(replica, "done-warm"), TimeSpan.FromSeconds(30), () => replica.Log); // a first request can exceed this short deadline
        }

        await group.Sandbox.ResetCountsAsync();

        var started = TimeProvider.System.GetTimestamp();
        using var throttledResponse = await group.Replicas[0].GetAsync(throttled);
        var load = SteadyLoad.Start(PerSecond, number => group.Replicas[number % 3].GetAsync($"processing-{number}"));
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5)); // short, so that the deadline of each request is before the end of the pause
        var upstreamRequests = (await group.Sandbox.CountsAsync()).Total;
        var figures = await load.StopAsync();
        await Wait.UntilAsync(() => SucceedsAsync(group.Replicas[2], "processing-after"), TimeSpan.FromSeconds(30), () => "The pause does not end.");
        var resumed = TimeProvider.System.GetElapsedTime(started);

        output.WriteLine($"{throttled}: {figures}; {Goal.Of(upstreamRequests, 1, "upstream requests during the pause")}; used again {Goal.Of(resumed, RetryAfter + TimeSpan.FromSeconds(2))} after the response");
        Assert.Equal(503, (int)throttledResponse.StatusCode);
        Assert.Equal(figures.Count, figures.With(status => status is 503 or 200));
        Assert.True(resumed >= RetryAfter, $"The upstream got a request after {resumed}.");
    }

    private static async Task<bool> SucceedsAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        return response.IsSuccessStatusCode;
    }
}
