namespace LumaGateway.SystemTests.Redis;

/// <summary>One replica fetches for all, and dies over it.</summary>
[Collection(typeof(SharedSystem))]
public sealed class LockTests(SharedSystem shared)
{
    [Fact]
    public async Task If_the_fetching_replica_is_killed_one_other_replica_fetches_again_for_all()
    {
        const string Id = "done-orphan";
        await shared.Sandbox.BreakAsync(new SandboxFault("hang") { Match = $"GET */{Id}", Count = 1 });
        await using var victim = await shared.StartBesideAsync(("Cache:LockLifetime", "00:00:02"));
        var lost = Assert.ThrowsAnyAsync<Exception>(() => victim.Replicas[0].ReadAsync(Id));
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(Id) == 1, () => "The fetch did not begin.");
        var waiting = shared.Fleet.Replicas.Select(replica => replica.ReadAsync(Id)).ToList();

        victim.Replicas[0].Process.Kill();

        Assert.All(await Task.WhenAll(waiting), body => Assert.Contains("\"state\":\"completed\"", body, StringComparison.Ordinal));
        await lost;
        Assert.Equal(2, await shared.Sandbox.CountAsync(Id));
    }
}
