namespace LumaGateway.EnduranceTests.Load;

/// <summary>Ten thousand callers at once, over three replicas, of one id that nobody has asked for yet. Needs redis-server or Garnet.</summary>
public sealed class HerdTests(ITestOutputHelper output)
{
    private const int Callers = 10_000;

    /// <summary><c>Luma:Deadline</c>, as it is shipped.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Ten_thousand_readers_of_one_cold_id_cost_one_upstream_request()
    {
        await using var redis = await RedisServer.StartAsync();
        const string Id = "fault-latency-2000-herd";

        // One attempt may take as long as the whole fetch: an answer that takes six seconds on a busy machine is not asked for again.
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint, ("Luma:AttemptTimeout", Deadline.ToString()));

        var figures = await Herd.RunAsync(Callers, $"/generations/{Id}", [.. group.Replicas.Select(replica => replica.Address)], Deadline * 4);

        var asked = await group.Sandbox.CountAsync(Id);
        output.WriteLine($"cold: {figures}; longest {Goal.Of(figures.Longest, Deadline)}; upstream requests: {asked}");
        Assert.Equal(Callers, figures.With(status => status is 200));
        Assert.True(asked == 1, $"The upstream was asked {asked} times; {figures}\n{string.Join("\n\n", group.Replicas.Select(replica => replica.Log))}");
    }

    [Theory]
    [InlineData("fault-status-500-herd", 9)]
    [InlineData("fault-hang-herd", 9)]
    public async Task Ten_thousand_readers_of_a_failing_upstream_all_have_their_problem(string id, int goal)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);

        var figures = await Herd.RunAsync(Callers, $"/generations/{id}", [.. group.Replicas.Select(replica => replica.Address)], Deadline * 4);

        var asked = await group.Sandbox.CountAsync(id);
        output.WriteLine($"{id}: {figures}; longest {Goal.Of(figures.Longest, Deadline + TimeSpan.FromSeconds(3))}; {Goal.Of(asked, goal, "upstream requests")}");
        Assert.Equal(Callers, figures.With(status => status is 502 or 503 or 504));
        Assert.InRange(asked, 1, Callers / 100); // who comes after a fault was shared begins anew, so the count depends on how fast the callers come
    }
}
