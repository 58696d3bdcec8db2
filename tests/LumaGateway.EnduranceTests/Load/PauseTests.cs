namespace LumaGateway.EnduranceTests.Load;

/// <summary>The upstream asks to be left alone for a while, under 50 requests a second. Needs redis-server or Garnet.</summary>
public sealed class PauseTests(ITestOutputHelper output)
{
    private const int PerSecond = 50;

    private static readonly TimeSpan Asked = TimeSpan.FromSeconds(6);

    [Theory]
    [InlineData("fault-status-429-r6-pause")]
    [InlineData("fault-status-503-r6-pause")]
    public async Task What_the_upstream_asks_of_one_replica_all_of_them_keep(string throttled)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint, ("Luma:Deadline", "00:00:03"), ("Luma:AttemptTimeout", "00:00:02.5"));
        foreach (var replica in group.Replicas)
        {
            await Wait.UntilAsync(() => AnswersAsync(replica, "done-warm"), TimeSpan.FromSeconds(30), () => replica.Log); // a cold start may miss so short a deadline
        }

        await group.Sandbox.ResetCountsAsync();

        var begun = TimeProvider.System.GetTimestamp();
        using var told = await group.Replicas[0].GetAsync(throttled);
        var load = SteadyLoad.Start(PerSecond, number => group.Replicas[number % 3].GetAsync($"processing-{number}"));
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5)); // callers whose deadline is later than the pause's end would wait for it
        var asked = (await group.Sandbox.CountsAsync()).Total;
        var figures = await load.StopAsync();
        await Wait.UntilAsync(() => AnswersAsync(group.Replicas[2], "processing-after"), TimeSpan.FromSeconds(30), () => "The pause does not end.");
        var over = TimeProvider.System.GetElapsedTime(begun);

        output.WriteLine($"{throttled}: {figures}; {Goal.Of(asked, 1, "upstream requests within the pause")}; asked again {Goal.Of(over, Asked + TimeSpan.FromSeconds(2))} after the word");
        Assert.Equal(503, (int)told.StatusCode);
        Assert.Equal(figures.Count, figures.With(status => status is 503 or 200));
        Assert.True(over >= Asked, $"The upstream was asked again after {over}.");
    }

    private static async Task<bool> AnswersAsync(GatewayProcess replica, string id)
    {
        using var answer = await replica.GetAsync(id);
        return answer.IsSuccessStatusCode;
    }
}
