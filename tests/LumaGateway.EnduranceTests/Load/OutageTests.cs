namespace LumaGateway.EnduranceTests.Load;

/// <summary>The upstream is gone for half a minute, under 120 requests a second. Needs redis-server or Garnet.</summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    private const int PerSecond = 100;

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    [Theory]
    [InlineData("reset")]
    [InlineData("hang")]
    public async Task Finished_answers_go_on_stale_ones_too_and_the_dead_upstream_is_left_alone(string fault)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(
            3, redis.Endpoint, ("Freshness:Completed", "00:00:01"), ("Luma:Deadline", Deadline.ToString()), ("Luma:AttemptTimeout", "00:00:01.5"));
        foreach (var id in Enumerable.Range(0, 20).SelectMany(i => new[] { $"done-{i}", $"fail-{i}" }))
        {
            await group.Replicas[0].ReadAsync(id);
        }

        await Wait.ForAsync(TimeSpan.FromSeconds(1.2)); // what is completed is stale now, what has failed is fresh
        await group.Sandbox.AddFaultAsync(new SandboxFault(fault));
        await group.Sandbox.ResetCountsAsync();

        var finished = SteadyLoad.Start(PerSecond, number => group.Replicas[number % 3].GetAsync(number % 2 == 0 ? $"done-{number / 6 % 20}" : $"fail-{number / 6 % 20}"));
        var unfinished = SteadyLoad.Start(PerSecond / 5, number => group.Replicas[number % 3].GetAsync($"processing-{number % 10}"));
        await Wait.ForAsync(Outage);
        var (known, unknown) = (await finished.StopAsync(), await unfinished.StopAsync());

        var asked = (await group.Sandbox.CountsAsync()).Total;
        Assert.True(known.Count == known.With(status => status is 200), string.Join("\n\n", group.Replicas.Select(replica => replica.Log)));
        Assert.Equal(unknown.Count, unknown.With(status => status is 502 or 503 or 504));
        Assert.NotEqual(0, known.Count);
        Assert.NotEqual(0, unknown.Count);

        await group.Sandbox.RemoveFaultsAsync();
        var back = await Wait.UntilAsync(
            async () =>
            {
                using var answer = await group.Replicas[0].GetAsync("processing-back");
                return answer.IsSuccessStatusCode;
            },
            TimeSpan.FromSeconds(60),
            () => "The upstream is not asked again.");
        output.WriteLine($"upstream {fault}: unfinished longest {Goal.Of(unknown.Longest, Deadline + TimeSpan.FromSeconds(1))}; asked again {Goal.Of(back, TimeSpan.FromSeconds(10))} after it was back");
        output.WriteLine($"  finished:   {known}");
        output.WriteLine($"  unfinished: {unknown}");
        output.WriteLine($"  upstream requests in {Outage.TotalSeconds:0} s: {asked}, {asked / Outage.TotalSeconds / 3:0.0} a second for each replica");
    }
}
