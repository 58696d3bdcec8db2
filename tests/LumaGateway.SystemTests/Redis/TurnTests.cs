using LumaGateway.Caching;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Replicas take turns even where a step of Redis takes longer than a caller would wait for it.</summary>
public sealed class TurnTests : IAsyncLifetime
{
    private static readonly CacheKey Key = new("subject");
    private static readonly TimeSpan LongerThanCallersWait = TimeSpan.FromMilliseconds(250);

    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task A_replica_that_gets_its_turn_but_cannot_read_at_once_does_not_fetch_what_is_there()
    {
        await using var first = await CacheReplica.StartAsync(_redis.Endpoint);
        LateStore? late = null;
        await using var second = await CacheReplica.StartAsync(_redis.Endpoint, store: store => late = new LateStore(store));
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
        await Wait.UntilAsync(() => late.Reads > 3 * readsOfOneLook, TimeSpan.FromSeconds(5), () => "The second replica does not wait for the first."); // it was refused its turn

        late.Delay = LongerThanCallersWait;
        held.SetResult(CacheReplica.Entry(Key, EntryKind.Final, "fetched once"));

        Assert.Equal("fetched once", await reading);
        Assert.Equal("fetched once", await waiting);
    }

    [Fact]
    public async Task What_was_no_longer_fresh_when_Redis_gave_it_at_last_is_fetched_anew()
    {
        await using var first = await CacheReplica.StartAsync(_redis.Endpoint);
        LateStore? late = null;
        await using var second = await CacheReplica.StartAsync(_redis.Endpoint, store: store => late = new LateStore(store));
        await first.ReadAsync(Key, EntryKind.Interim, "fresh for a second");

        late!.Delay = TimeSpan.FromSeconds(1); // the first look gives up, the patient one of who has the turn outlasts the freshness

        Assert.Equal("fetched anew", await second.ReadAsync(Key, EntryKind.Interim, "fetched anew"));
    }

    [Fact]
    public async Task Replicas_that_lack_CPU_fetch_once_all_the_same()
    {
        await using var one = await CacheReplica.StartAsync(_redis.Endpoint);
        await using var two = await CacheReplica.StartAsync(_redis.Endpoint);
        var asked = 0;

        using (new BusyThreadPool())
        {
            await Task.WhenAll(new[] { one, two }.Select(replica => replica.ReadAsync(Key, () =>
            {
                Interlocked.Increment(ref asked);
                return Task.FromResult(CacheReplica.Entry(Key, EntryKind.Final, "fetched"));
            })));
        }

        Assert.Equal(1, asked);
    }
}
