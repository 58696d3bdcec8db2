
namespace LumaGateway.SystemTests.Redis;

/// <summary>Ten thousand callers at once, over three replicas, of one id that nobody has asked for yet.</summary>
[TestClass(DisableParallelization = true)]
public sealed class HerdTests(ITestOutputHelper output)
{
    private const int Callers = 10_000;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Ten_thousand_readers_of_one_cold_id_cost_one_upstream_request()
    {
        await using var redis = await RedisServer.StartAsync();
        const string Id = "fault-latency-2000-herd";

        // One try may take as long as the whole fetch: a machine on which this answer takes six seconds would have it tried again, rightly.
        await using var fleet = await Fleet.StartAsync(3, redis.Endpoint, ("Luma:AttemptTimeout", Deadline.ToString()));

        var figures = await Herd.RunAsync(Callers, $"/generations/{Id}", [.. fleet.Replicas.Select(replica => replica.Address)], Deadline * 2);

        var asked = await fleet.Sandbox.CountAsync(Id);
        output.WriteLine($"{figures}; upstream requests: {asked}");
        Assert.Equal(Callers, figures.With(status => status is 200));
        Assert.True(asked == 1, $"The upstream was asked {asked} times; {figures}\n{string.Join("\n\n", fleet.Replicas.Select(replica => replica.Log))}");
    }

    [Theory]
    [InlineData("fault-status-500-herd", 9)]
    [InlineData("fault-hang-herd", 9)]
    public async Task Ten_thousand_readers_of_a_failing_upstream_all_have_their_problem_within_one_deadline(string id, int atMost)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(3, redis.Endpoint);

        var figures = await Herd.RunAsync(Callers, $"/generations/{id}", [.. fleet.Replicas.Select(replica => replica.Address)], Deadline * 2);

        var asked = await fleet.Sandbox.CountAsync(id);
        output.WriteLine($"{figures}; upstream requests: {asked}");
        Assert.Equal(Callers, figures.With(status => status is 502 or 503 or 504));
        Assert.True(figures.Longest < Deadline + TimeSpan.FromSeconds(3), $"The longest took {figures.Longest}."); // the callers' own CPU included
        Assert.InRange(asked, 1, atMost);
    }
}
