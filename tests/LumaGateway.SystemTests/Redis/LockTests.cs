namespace LumaGateway.SystemTests.Redis;

/// <summary>The replica with the lock is killed.</summary>
[Collection(typeof(SharedSystem))]
public sealed class LockTests(SharedSystem shared)
{
    [Fact]
    public async Task If_the_fetching_replica_is_killed_one_other_replica_fetches_again_for_all()
    {
        const string Id = "done-killed-fetch";
        await shared.Sandbox.AddFaultAsync(new SandboxFault("hang") { Match = $"GET */{Id}", Count = 1 });
        await using var killed = await shared.StartBesideAsync(("Cache:LockLifetime", "00:00:02"));
        var lost = Assert.ThrowsAnyAsync<Exception>(() => killed.Replicas[0].ReadAsync(Id));
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(Id) == 1, () => "The fetch did not start.");
        var waiting = shared.Group.Replicas.Select(replica => replica.ReadAsync(Id)).ToList();

        killed.Replicas[0].Process.Kill();

        Assert.All(await Task.WhenAll(waiting), body => Assert.Contains("\"state\":\"completed\"", body, StringComparison.Ordinal));
        await lost;
        Assert.Equal(2, await shared.Sandbox.CountAsync(Id));
    }
}
