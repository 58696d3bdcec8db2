namespace LumaGateway.EnduranceTests.Load;

/// <summary>The upstream fails for half a minute, under 120 requests a second. Needs redis-server or Garnet.</summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    private const int PerSecond = 100;

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    [Theory]
    [InlineData("reset")]
    [InlineData("hang")]
    public async Task Final_responses_are_served_also_stale_and_the_failed_upstream_gets_few_requests(string fault)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(
            3, redis.Endpoint, ("Freshness:Completed", "00:00:01"), ("Luma:Deadline", Deadline.ToString()), ("Luma:AttemptTimeout", "00:00:01.5"));
        foreach (var id in Enumerable.Range(0, 20).SelectMany(i => new[] { $"done-{i}", $"fail-{i}" }))
        {
            await group.Replicas[0].ReadAsync(id);
        }

        await Wait.ForAsync(TimeSpan.FromSeconds(1.2)); // completed entries are stale now, failed ones are fresh
        await group.Sandbox.AddFaultAsync(new SandboxFault(fault));
        await group.Sandbox.ResetCountsAsync();

        var finalLoad = SteadyLoad.Start(PerSecond, number => group.Replicas[number % 3].GetAsync(number % 2 == 0 ? $"done-{number / 6 % 20}" : $"fail-{number / 6 % 20}"));
        var interimLoad = SteadyLoad.Start(PerSecond / 5, number => group.Replicas[number % 3].GetAsync($"processing-{number % 10}"));
        await Wait.ForAsync(Outage);
        var (final, interim) = (await finalLoad.StopAsync(), await interimLoad.StopAsync());

        var upstreamRequests = (await group.Sandbox.CountsAsync()).Total;
        Assert.True(final.Count == final.With(status => status is 200), string.Join("\n\n", group.Replicas.Select(replica => replica.Log)));
        Assert.Equal(interim.Count, interim.With(status => status is 502 or 503 or 504));
        Assert.NotEqual(0, final.Count);
        Assert.NotEqual(0, interim.Count);

        await group.Sandbox.RemoveFaultsAsync();
        var recovery = await Wait.UntilAsync(
            async () =>
            {
                using var response = await group.Replicas[0].GetAsync("processing-back");
                return response.IsSuccessStatusCode;
            },
            TimeSpan.FromSeconds(60),
            () => "The upstream gets no requests again.");
        output.WriteLine($"upstream {fault}: interim longest {Goal.Of(interim.Longest, Deadline + TimeSpan.FromSeconds(1))}; used again {Goal.Of(recovery, TimeSpan.FromSeconds(10))} after the end of the fault");
        output.WriteLine($"  final:   {final}");
        output.WriteLine($"  interim: {interim}");
        output.WriteLine($"  upstream requests in {Outage.TotalSeconds:0} s: {upstreamRequests}, {upstreamRequests / Outage.TotalSeconds / 3:0.0} a second for each replica");
    }
}
