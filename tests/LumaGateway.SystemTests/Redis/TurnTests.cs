using LumaGateway.Caching;
using LumaGateway.Contracts;
using Microsoft.Extensions.Caching.Distributed;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Replicas take turns even where a step of Redis takes longer than a caller would wait for it. Each test takes an account of its own.</summary>
[Collection(typeof(SharedSystem))]
public sealed class TurnTests(SharedSystem shared)
{
    private static readonly GenerationId Key = GenerationId.Parse("subject", null);
    private static readonly TimeSpan CallersWait = TimeSpan.FromSeconds(2); // a patient step has eight times as long
    private static readonly TimeSpan LongerThanCallersWait = TimeSpan.FromSeconds(3);

    private readonly string _account = $"turn-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_replica_that_acquires_the_lock_waits_for_a_slow_read_instead_of_fetching_again()
    {
        await using var first = await StartAsync();
        LateStore? late = null;
        await using var second = await StartAsync(CallersWait, store => late = new LateStore(store));
        var readsOfOneLook = late!.Reads; // while it started
        var asked = new TaskCompletionSource();
        var held = new TaskCompletionSource<CacheEntry>();
        var reading = first.ReadAsync(Key, () =>
        {
            asked.SetResult();
            return held.Task;
        });
        await asked.Task;
        var waiting = second.ReadAsync(Key, EntryKind.Final, "fetched again");
        await Wait.UntilAsync(() => late.Reads > 3 * readsOfOneLook, () => "The second replica does not wait for the first."); // it was refused its turn

        late.Delay = LongerThanCallersWait;
        held.SetResult(CacheReplica.Entry(Key, EntryKind.Final, "fetched once"));

        Assert.Equal("fetched once", await reading);
        Assert.Equal("fetched once", await waiting);
    }

    [Fact]
    public async Task An_entry_that_expires_during_a_slow_read_is_fetched_again()
    {
        await using var first = await StartAsync();
        LateStore? late = null;
        await using var second = await StartAsync(CallersWait, store => late = new LateStore(store));
        await first.ReadAsync(Key, EntryKind.Interim, "fresh for a second");

        late!.Delay = LongerThanCallersWait; // the first look gives up, the patient one of who has the turn outlasts the freshness

        Assert.Equal("fetched anew", await second.ReadAsync(Key, EntryKind.Interim, "fetched anew"));
    }

    [Fact]
    public async Task A_Redis_too_slow_for_a_lock_is_not_used()
    {
        await using var road = FaultProxy.To(shared.Redis.Port);
        await using var replica = await CacheReplica.StartAsync(road.Endpoint, _account, lockLifetime: TimeSpan.FromSeconds(1));

        road.Delay = TimeSpan.FromSeconds(0.8); // more than half the lock's life, and less than Cache:RedisTimeout

        Assert.Equal("fetched", await replica.ReadAsync(Key, EntryKind.Final, "fetched"));
    }

    /// <param name="redisTimeout">Null: far away.</param>
    /// <param name="store">What to put in front of the store; null for nothing.</param>
    private Task<CacheReplica> StartAsync(TimeSpan? redisTimeout = null, Func<IDistributedCache, IDistributedCache>? store = null) =>
        CacheReplica.StartAsync(shared.Redis.Endpoint, _account, redisTimeout: redisTimeout, store: store);
}
