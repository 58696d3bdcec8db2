namespace LumaGateway.EnduranceTests.Load;

/// <summary>A thousand callers a second ask for what is not finished yet. Needs redis-server or Garnet.</summary>
public sealed class UnfinishedTests(ITestOutputHelper output)
{
    private const int Ids = 50;
    private const int PerSecond = 1000;

    private static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_thousand_polls_a_second_cost_one_upstream_request_for_each_id_and_freshness_window()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);
        await Task.WhenAll(group.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        await group.Sandbox.ResetCountsAsync();

        var begun = TimeProvider.System.GetTimestamp();
        var load = SteadyLoad.Start(PerSecond, number => group.Replicas[number % 3].GetAsync($"processing-polled{number / 3 % Ids}"));
        await Wait.ForAsync(Length);
        var figures = await load.StopAsync();
        var took = TimeProvider.System.GetElapsedTime(begun);

        var counts = await group.Sandbox.CountsAsync();
        output.WriteLine($"{Ids} unfinished ids: {figures}; p99 {Goal.Of(figures.P99, TimeSpan.FromSeconds(2))}");
        output.WriteLine($"  upstream requests in {took.TotalSeconds:0.0} s: {counts.Total} in all, at most {counts.ById.Values.Max()} for one id, {Goal.Of(counts.Total / (double)Ids / took.TotalSeconds, 1, "a second for each id")}");
        Assert.Equal(figures.Count, figures.With(status => status is 200));
        Assert.Equal(Ids, counts.ById.Count);
        Assert.All(counts.ById.Values, count => Assert.InRange(count, 1, (long)Math.Floor(took / ShortestWindow) + 1));
    }
}
