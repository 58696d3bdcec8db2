using LumaGateway.Caching;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>After a final entry, a replica returns no interim one that was requested earlier. Redis is a fake. Needs nothing.</summary>
public sealed class FinalStaysTests : IAsyncLifetime
{
    private static readonly TimeSpan MemoryLifetime = TimeSpan.FromSeconds(5);

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private CacheUnderTest _cache = null!;
    private CacheUnderTest _other = null!;

    public FinalStaysTests() => _redis = new FakeRedis(_clock);

    public async ValueTask InitializeAsync()
    {
        _cache = await CacheUnderTest.StartAsync(_clock, _redis);
        _other = await CacheUnderTest.StartAsync(_clock, _redis, ("Cache:MemoryLifetime", $"{MemoryLifetime}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task An_older_interim_entry_in_Redis_is_not_returned_after_a_final_one_that_was_fetched_without_Redis()
    {
        await StoreInterimAfterPurgeAsync();
        using (_redis.Fail())
        {
            await ReadFinalAsync();
        }

        _clock.Advance(2 * MemoryLifetime); // the entry in memory must be verified; it has no token
        _other.Origin.Returns(Entries.Final(_clock.Now, "fetched again"));

        Assert.Equal("fetched again", (await _other.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task An_older_interim_entry_in_Redis_is_not_returned_while_the_final_one_is_fetched_again()
    {
        await StoreInterimAfterPurgeAsync();
        using (_redis.Fail())
        {
            await ReadFinalAsync();
        }

        _clock.Advance(2 * MemoryLifetime);
        var fetch = _other.Origin.HoldNext(Entries.Final(_clock.Now, "fetched again"));
        var first = _other.ReadAsync();
        await fetch.ReachedAsync();

        var second = _other.ReadAsync();
        fetch.Release();

        Assert.Equal("fetched again", (await first).Entry.Text());
        Assert.Equal("fetched again", (await second).Entry.Text());
    }

    [Fact]
    public async Task An_older_interim_entry_in_Redis_is_not_returned_after_the_upstream_failed()
    {
        await StoreInterimAfterPurgeAsync();
        using (_redis.Fail())
        {
            await ReadFinalAsync();
        }

        _clock.Advance(2 * MemoryLifetime);
        _other.Origin.Fails();
        Assert.Null((await _other.ReadAsync()).Entry);
        _other.Origin.Returns(Entries.Final(_clock.Now, "fetched again"));

        Assert.Equal("fetched again", (await _other.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task An_older_interim_entry_in_Redis_is_not_returned_after_a_final_one_that_Redis_refused()
    {
        await StoreInterimAfterPurgeAsync();
        await _other.SucceedInRedisAsync();
        using (_redis.Fail("get"))
        using (_redis.Fail("add"))
        {
            await ReadFinalAsync(); // the token was not read, so Redis refuses the entry
        }

        _other.Origin.Returns(Entries.Final(_clock.Now, "fetched again"));

        Assert.Equal("fetched again", (await _other.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task An_older_interim_entry_in_Redis_is_not_returned_after_a_late_message_about_an_earlier_purge()
    {
        await StoreInterimAfterPurgeAsync();
        using (_redis.Fail("set"))
        {
            _other.Origin.Returns(Entries.Final(_clock.Now));
            Assert.Equal("final", (await _other.RefreshAsync(_clock.Now)).Entry.Text());
        }

        await _cache.Bus.PublishAsync("purge", Entries.Key.Value);
        await Eventually.TrueAsync(() => _other.Memory.Find(Entries.Key) is null);
        _other.Origin.Returns(Entries.Final(_clock.Now, "fetched again"));

        Assert.Equal("fetched again", (await _other.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_fetch_that_read_no_token_returns_the_final_entry_that_was_read_from_Redis_meanwhile()
    {
        await _cache.Cache.PurgeAsync(Entries.Key);
        var fetch = _other.Origin.HoldNext(Entries.NotFound(_clock.Now));
        Task<CacheResult> caller;
        await _other.SucceedInRedisAsync();
        using (_redis.Fail("get"))
        using (_redis.Fail("add"))
        {
            caller = _other.ReadAsync();
            await fetch.ReachedAsync();
        }

        _clock.Advance(TimeSpan.FromMilliseconds(10));
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        Assert.NotNull(await _other.Cache.FindAsync(Entries.Key));

        fetch.Release();

        Assert.Equal("final", (await caller).Entry.Text());
    }

    [Fact]
    public async Task A_fetch_that_began_before_a_final_entry_was_stored_in_memory_returns_that_entry()
    {
        var fetch = _cache.Origin.HoldNext(Entries.Interim(_clock.Now));
        var caller = _cache.ReadAsync();
        await fetch.ReachedAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        using var failing = _redis.Fail();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now), _cache.Cache.Purges).WithTimeout();

        fetch.Release();

        Assert.Equal("final", (await caller).Entry.Text());
    }

    [Fact]
    public async Task FindAsync_does_not_return_an_older_interim_entry_after_a_final_one_that_Redis_refused()
    {
        await StoreInterimAfterPurgeAsync();
        Assert.Equal("interim", (await _other.Cache.FindAsync(Entries.Key)).Text());
        await _other.SucceedInRedisAsync();
        using (_redis.Fail("get"))
        using (_redis.Fail("add"))
        {
            await ReadFinalAsync();
        }

        Assert.Null(await _other.Cache.FindAsync(Entries.Key));
    }

    [Fact]
    public async Task FindAsync_returns_no_not_found_entry_of_Redis_if_memory_has_a_final_one_that_was_requested_later()
    {
        var start = _clock.Now;
        _cache.Origin.Returns(Entries.NotFound(start));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        using (_redis.Fail())
        {
            await _other.Cache.PutAsync(Entries.Final(_clock.Now), _other.Cache.Purges).WithTimeout();
        }

        await _other.SucceedInRedisAsync();
        _clock.Advance(2 * MemoryLifetime);

        Assert.Null(await _other.Cache.FindAsync(Entries.Key, start));
    }

    [Fact]
    public async Task PutAsync_returns_the_final_entry_that_was_stored_in_memory_meanwhile()
    {
        var lookup = _redis.Hold("get", ":token", replyOnly: true);
        var offering = _cache.Cache.PutAsync(Entries.Interim(_clock.Now), _cache.Cache.Purges);
        await lookup.ReachedAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        using var failing = _redis.Fail("set");
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();

        lookup.Release();

        Assert.Equal("final", (await offering.WithTimeout()).Text());
    }

    [Fact]
    public async Task PutAsync_does_not_store_an_interim_entry_older_than_a_purged_final_one()
    {
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        await _cache.Cache.PurgeAsync(Entries.Key);
        using var failing = _redis.Fail();

        Assert.Null(await _cache.Cache.PutAsync(Entries.Interim(_clock.Now.AddMilliseconds(-10)), _cache.Cache.Purges).WithTimeout());
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task A_newer_interim_entry_is_returned_after_a_purged_final_one()
    {
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        await _cache.Cache.PurgeAsync(Entries.Key);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        _other.Origin.Returns(Entries.Interim(_clock.Now));
        await _other.ReadAsync();

        Assert.Equal("interim", (await _cache.ReadAsync()).Entry.Text());
    }

    /// <summary>The key has an invalidation token and an interim entry in Redis.</summary>
    private async Task StoreInterimAfterPurgeAsync()
    {
        await _cache.Cache.PurgeAsync(Entries.Key);
        _cache.Origin.Returns(Entries.Interim(_clock.Now, freshFor: TimeSpan.FromSeconds(30)));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(10));
    }

    private async Task ReadFinalAsync()
    {
        _other.Origin.Returns(Entries.Final(_clock.Now));
        Assert.Equal("final", (await _other.ReadAsync()).Entry.Text());
    }
}
