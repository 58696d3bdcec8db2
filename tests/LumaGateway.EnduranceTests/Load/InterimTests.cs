namespace LumaGateway.EnduranceTests.Load;

/// <summary>A thousand reads a second of interim generations. Needs redis-server or Garnet.</summary>
public sealed class InterimTests(ITestOutputHelper output)
{
    private const int Ids = 50;
    private const int PerSecond = 1000;

    private static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_thousand_reads_a_second_cause_one_upstream_request_for_each_id_and_lifetime()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);
        await Task.WhenAll(group.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        await group.Sandbox.ResetCountsAsync();

        var started = TimeProvider.System.GetTimestamp();
        var load = SteadyLoad.Start(PerSecond, number => group.Replicas[number % 3].GetAsync($"processing-polled{number / 3 % Ids}"));
        await Wait.ForAsync(Length);
        var figures = await load.StopAsync();
        var elapsed = TimeProvider.System.GetElapsedTime(started);

        var counts = await group.Sandbox.CountsAsync();
        output.WriteLine($"{Ids} interim ids: {figures}; p99 {Goal.Of(figures.P99, TimeSpan.FromSeconds(2))}");
        output.WriteLine($"  upstream requests in {elapsed.TotalSeconds:0.0} s: {counts.Total} in total, at most {counts.ById.Values.Max()} for one id, {Goal.Of(counts.Total / (double)Ids / elapsed.TotalSeconds, 1, "a second for each id")}");
        Assert.Equal(figures.Count, figures.With(status => status is 200));
        Assert.Equal(Ids, counts.ById.Count);
        Assert.All(counts.ById.Values, count => Assert.InRange(count, 1, (long)Math.Floor(elapsed / MinLifetime) + 1));
    }
}
