namespace LumaGateway.SystemTests.Redis;

/// <summary>Hundreds of concurrent callers of one uncached id on three replicas. The endurance suite has ten thousand.</summary>
[Collection(typeof(SharedSystem))]
public sealed class HerdTests(SharedSystem shared)
{
    private const int Callers = 300;

    [Fact]
    public async Task Readers_of_one_uncached_id_cause_one_upstream_request()
    {
        const string Id = "fault-latency-1000-herd";

        var figures = await RunAsync(Id, shared.Group);

        Assert.Equal(Callers, figures.With(status => status is 200));
        Assert.Equal(1, await shared.Sandbox.CountAsync(Id));
    }

    [Fact]
    public async Task Readers_during_upstream_failures_all_get_a_problem_with_few_upstream_requests()
    {
        const string Id = "done-failing-herd";
        await shared.Sandbox.AddFaultAsync(new SandboxFault("status") { Status = 500, Delay = 1000, Match = $"GET */{Id}" });

        await AssertProblemsAsync(Id, shared.Group);
    }

    [Fact]
    public async Task Readers_of_a_hanging_upstream_all_get_a_problem_with_few_upstream_requests()
    {
        await using var group = await shared.StartAsync(1, "herd", ("Luma:Deadline", "00:00:03"), ("Luma:AttemptTimeout", "00:00:03"));

        await AssertProblemsAsync("fault-hang-herd", group);
    }

    /// <summary>A caller that arrives after a shared fault starts a new fetch, so the number of requests depends on the timing.</summary>
    private async Task AssertProblemsAsync(string id, ReplicaGroup group)
    {
        var figures = await RunAsync(id, group);

        Assert.Equal(Callers, figures.With(status => status is 502 or 503 or 504));
        Assert.InRange(await shared.Sandbox.CountAsync(id), 1, Callers / 10);
    }

    private static Task<Figures> RunAsync(string id, ReplicaGroup group) =>
        Herd.RunAsync(Callers, $"/generations/{id}", [.. group.Replicas.Select(replica => replica.Address)], Wait.Timeout);
}
