using LumaGateway.Caching;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Caching;

/// <summary>Stale-if-error and refresh-ahead of two replicas with a fake Redis: a look-up that finds the same entry again changes neither. Needs nothing.</summary>
public sealed class StaleWithRedisTests : IAsyncLifetime
{
    private static readonly UpstreamException Fault = new(UpstreamFault.Unreachable, "The origin is unreachable.");

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private CacheUnderTest _cache = null!;
    private CacheUnderTest _other = null!;

    public StaleWithRedisTests() => _redis = new FakeRedis(_clock);

    private FakeOrigin Origin => _cache.Origin;

    public async ValueTask InitializeAsync()
    {
        _cache = await CacheUnderTest.StartAsync(_clock, _redis);
        _other = await CacheUnderTest.StartAsync(_clock, _redis);
    }

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task An_entry_that_was_served_stale_is_verified_again_after_the_memory_lifetime()
    {
        await ServeStaleAsync();
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Origin.Fails(Fault);

        Assert.Equal((null, CacheStatus.Miss, Fault), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_refresh_in_the_background_makes_no_caller_wait()
    {
        await ServeStaleAsync();
        _clock.Advance(CacheUnderTest.RetryPause);
        var refresh = Origin.HoldNext(Entries.Final(_clock.Now, "new"));

        Assert.Equal(("old", CacheStatus.Stale, Fault), Summary(await _cache.ReadAsync()));
        await refresh.ReachedAsync();
        Assert.Equal(("old", CacheStatus.Stale, Fault), Summary(await _cache.ReadAsync()));

        refresh.Release();
        await Poll.UntilAsync(async () => (await _cache.ReadAsync()).Entry.Text() is "new");
        Assert.Equal(3, Origin.RequestCount);
    }

    [Fact]
    public async Task A_failed_refresh_ahead_is_not_repeated_before_the_pause_has_passed()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old"));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromMinutes(59) - TimeSpan.FromSeconds(1));
        await _cache.ReadAsync(); // verified
        _clock.Advance(TimeSpan.FromSeconds(1));
        var refresh = Origin.HoldNext(null);
        await _cache.ReadAsync();
        await refresh.ReachedAsync();
        var joined = _cache.RefreshAsync(_clock.Now);
        refresh.Fail(Fault);
        Assert.Equal(("old", CacheStatus.Hit, null), Summary(await joined));

        Assert.Equal(("old", CacheStatus.Hit, null), Summary(await _cache.ReadAsync()));

        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_read_that_joins_a_poll_does_not_get_an_expired_entry()
    {
        var polledAt = _clock.Now;
        _other.Origin.Returns(Entries.Interim(polledAt, "expired"));
        await _other.ReadAsync();
        _clock.Advance(TimeSpan.FromSeconds(5));
        Origin.Returns(Entries.Interim(_clock.Now, "fresh"));
        var reply = _redis.Hold("add", ":lock", replyOnly: true);
        var poll = _cache.RefreshAsync(polledAt);
        await reply.ReachedAsync();
        var read = _cache.ReadAsync();

        reply.Release();

        Assert.Equal(("expired", CacheStatus.Hit, null), Summary(await poll));
        Assert.Equal(("fresh", CacheStatus.Miss, null), Summary(await read));
    }

    private static (string? Body, CacheStatus Status, UpstreamException? Fault) Summary(CacheResult result) => (result.Entry.Text(), result.Status, result.Fault);

    /// <summary>Stores a final entry "old" in Redis and in the memory of a replica, which serves it stale.</summary>
    private async Task ServeStaleAsync()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old"));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromHours(1));
        Origin.Fails(Fault);
        Assert.Equal(("old", CacheStatus.Stale, Fault), Summary(await _cache.ReadAsync()));
    }
}
