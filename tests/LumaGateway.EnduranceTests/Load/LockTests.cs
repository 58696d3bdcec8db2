namespace LumaGateway.EnduranceTests.Load;

/// <summary>Measures the wait of callers after the fetching replica is killed, and the time until a purge reaches all replicas. Needs redis-server or Garnet.</summary>
public sealed class LockTests(ITestOutputHelper output)
{
    private const int Purges = 20;

    /// <summary>The default of <c>Cache:LockLifetime</c>.</summary>
    private static readonly TimeSpan LockLifetime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FetchTime = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task When_the_fetching_replica_is_killed_the_others_wait_no_longer_than_the_lifetime_of_its_lock()
    {
        const string Id = "fault-latency-2000-orphan";
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);
        await Task.WhenAll(group.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        var failed = Assert.ThrowsAnyAsync<Exception>(() => group.Replicas[0].ReadAsync(Id));
        await Wait.UntilAsync(async () => await group.Sandbox.CountAsync(Id) == 1, TimeSpan.FromSeconds(30), () => "The fetch did not start.");
        var waiting = group.Replicas.Skip(1).Select(replica => replica.ReadAsync(Id)).ToList();
        await Wait.ForAsync(TimeSpan.FromMilliseconds(300)); // until they wait for the lock

        group.Replicas[0].Process.Kill();
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(waiting);
        var elapsed = TimeProvider.System.GetElapsedTime(started);

        await failed;
        output.WriteLine($"responses after the kill of the lock owner: {Goal.Of(elapsed, LockLifetime + FetchTime + TimeSpan.FromSeconds(1))}");
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
            var started = TimeProvider.System.GetTimestamp();
            using var purged = await group.Replicas[0].PurgeAsync(id);
            foreach (var replica in group.Replicas)
            {
                await Wait.UntilAsync(
                    async () => (await replica.ReadAsync(id)).Contains("\"state\":\"failed\"", StringComparison.Ordinal),
                    TimeSpan.FromSeconds(30),
                    () => "A replica still serves the purged response.");
            }

            var elapsed = TimeProvider.System.GetElapsedTime(started);
            slowest = elapsed > slowest ? elapsed : slowest;
        }

        output.WriteLine($"slowest of {Purges} purges on three replicas: {Goal.Of(slowest, TimeSpan.FromSeconds(1))}");
    }
}
