namespace LumaGateway.EnduranceTests.Load;

/// <summary>Ten thousand concurrent callers of one uncached id on three replicas. Needs redis-server or Garnet.</summary>
public sealed class HerdTests(ITestOutputHelper output)
{
    private const int Callers = 10_000;

    /// <summary>The default of <c>Luma:Deadline</c>.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Ten_thousand_readers_of_one_uncached_id_cause_one_upstream_request()
    {
        await using var redis = await RedisServer.StartAsync();
        const string Id = "fault-latency-2000-herd";

        // An attempt may take the whole deadline, so that a slow response on a loaded machine causes no retry.
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint, ("Luma:AttemptTimeout", Deadline.ToString()));

        var figures = await Herd.RunAsync(Callers, $"/generations/{Id}", [.. group.Replicas.Select(replica => replica.Address)], Deadline * 4);

        var upstreamRequests = await group.Sandbox.CountAsync(Id);
        output.WriteLine($"uncached: {figures}; longest {Goal.Of(figures.Longest, Deadline)}; upstream requests: {upstreamRequests}");
        Assert.Equal(Callers, figures.With(status => status is 200));
        Assert.True(upstreamRequests == 1, $"The upstream got {upstreamRequests} requests; {figures}\n{string.Join("\n\n", group.Replicas.Select(replica => replica.Log))}");
    }

    [Theory]
    [InlineData("fault-status-500-herd", 9)]
    [InlineData("fault-hang-herd", 9)]
    public async Task Ten_thousand_readers_of_a_failing_upstream_all_get_a_problem(string id, int goal)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);

        var figures = await Herd.RunAsync(Callers, $"/generations/{id}", [.. group.Replicas.Select(replica => replica.Address)], Deadline * 4);

        var upstreamRequests = await group.Sandbox.CountAsync(id);
        output.WriteLine($"{id}: {figures}; longest {Goal.Of(figures.Longest, Deadline + TimeSpan.FromSeconds(3))}; {Goal.Of(upstreamRequests, goal, "upstream requests")}");
        Assert.Equal(Callers, figures.With(status => status is 502 or 503 or 504));
        Assert.InRange(upstreamRequests, 1, Callers / 100); // a caller after the shared failure starts a new fetch, so the count depends on the arrival times
    }
}
