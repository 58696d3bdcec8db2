namespace LumaGateway.EnduranceTests.Load;

/// <summary>How long callers wait when the replica that fetches for them dies, and how long a purge takes to reach all replicas. Needs redis-server or Garnet.</summary>
public sealed class LockTests(ITestOutputHelper output)
{
    private const int Purges = 20;

    /// <summary><c>Cache:LockLifetime</c> as it is shipped, and how long the upstream takes here.</summary>
    private static readonly TimeSpan LockLifetime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Fetch = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task When_the_replica_that_fetches_is_killed_the_others_wait_no_longer_than_its_lock_lives()
    {
        const string Id = "fault-latency-2000-orphan";
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);
        await Task.WhenAll(group.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        var lost = Assert.ThrowsAnyAsync<Exception>(() => group.Replicas[0].ReadAsync(Id));
        await Wait.UntilAsync(async () => await group.Sandbox.CountAsync(Id) == 1, TimeSpan.FromSeconds(30), () => "The fetch did not begin.");
        var waiting = group.Replicas.Skip(1).Select(replica => replica.ReadAsync(Id)).ToList();
        await Wait.ForAsync(TimeSpan.FromMilliseconds(300)); // they have found the lock taken

        group.Replicas[0].Process.Kill();
        var begun = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(waiting);
        var took = TimeProvider.System.GetElapsedTime(begun);

        await lost;
        output.WriteLine($"answered after the kill of the lock's holder: {Goal.Of(took, LockLifetime + Fetch + TimeSpan.FromSeconds(1))}");
        Assert.Equal(2, await group.Sandbox.CountAsync(Id));
    }

    [Fact]
    public async Task A_purge_reaches_every_replica()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < Purges; i++)
        {
            var id = $"done-purged-{i}";
            foreach (var replica in group.Replicas)
            {
                await replica.ReadAsync(id);
            }

            await group.Sandbox.SetStateAsync(id, "failed");
            var begun = TimeProvider.System.GetTimestamp();
            using var purged = await group.Replicas[0].PurgeAsync(id);
            foreach (var replica in group.Replicas)
            {
                await Wait.UntilAsync(
                    async () => (await replica.ReadAsync(id)).Contains("\"state\":\"failed\"", StringComparison.Ordinal),
                    TimeSpan.FromSeconds(30),
                    () => "A replica still gives what was purged.");
            }

            var took = TimeProvider.System.GetElapsedTime(begun);
            slowest = took > slowest ? took : slowest;
        }

        output.WriteLine($"slowest of {Purges} purges on three replicas: {Goal.Of(slowest, TimeSpan.FromSeconds(1))}");
    }
}
