using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.SystemTests.Redis;

/// <summary>The distributed lock works even if a Redis operation takes longer than a caller waits. Each test uses its own account.</summary>
[Collection(typeof(SharedSystem))]
public sealed class SlowRedisTests(SharedSystem shared)
{
    private static readonly GenerationId Key = GenerationId.Parse("subject", null);
    private static readonly TimeSpan CallerTimeout = TimeSpan.FromSeconds(2); // the operations of a replica with the lock have eight times as long
    private static readonly TimeSpan LongerThanCallerTimeout = TimeSpan.FromSeconds(3);

    private readonly string _account = $"lock-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_replica_waits_for_a_slow_lock_instead_of_fetching_again()
    {
        await using var first = await StartAsync();
        await using var proxy = FaultProxy.To(shared.Redis.Port);
        await using var second = await CacheReplica.StartAsync(proxy.Endpoint, _account, redisTimeout: CallerTimeout);
        var started = new TaskCompletionSource();
        var released = new TaskCompletionSource<CacheEntry>();
        var reading = first.ReadAsync(Key, () =>
        {
            started.SetResult();
            return released.Task;
        });
        await started.Task;
        proxy.Delay = LongerThanCallerTimeout;
        var waiting = second.ReadAsync(Key, EntryKind.Final, "fetched again");

        released.SetResult(CacheReplica.Entry(Key, EntryKind.Final, "fetched once"));

        Assert.Equal("fetched once", await reading);
        Assert.Equal("fetched once", await waiting);
    }

    [Fact]
    public async Task An_entry_that_expires_during_a_slow_read_is_fetched_again()
    {
        await using var first = await StartAsync();
        await using var proxy = FaultProxy.To(shared.Redis.Port);
        await using var second = await CacheReplica.StartAsync(proxy.Endpoint, _account, redisTimeout: CallerTimeout);
        await first.ReadAsync(Key, EntryKind.Interim, "fresh for a second");

        proxy.Delay = LongerThanCallerTimeout; // the lookup takes longer than the entry is fresh

        Assert.Equal("fetched again", await second.ReadAsync(Key, EntryKind.Interim, "fetched again"));
    }

    [Fact]
    public async Task A_Redis_too_slow_for_a_lock_is_not_used()
    {
        await using var proxy = FaultProxy.To(shared.Redis.Port);
        await using var replica = await CacheReplica.StartAsync(proxy.Endpoint, _account, lockLifetime: TimeSpan.FromSeconds(1));

        proxy.Delay = TimeSpan.FromSeconds(0.8); // more than half the lock's lifetime, and less than Cache:RedisTimeout

        Assert.Equal("fetched", await replica.ReadAsync(Key, EntryKind.Final, "fetched"));
    }

    private Task<CacheReplica> StartAsync() => CacheReplica.StartAsync(shared.Redis.Endpoint, _account);
}
