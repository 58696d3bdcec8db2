using LumaGateway.Caching;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>Entries from lists and proxied responses in a replica that has missed the message of a purge. Redis is a fake. Needs nothing.</summary>
public sealed class MissedPurgeTests : IAsyncLifetime
{
    private static readonly TimeSpan MemoryLifetime = TimeSpan.FromSeconds(5);

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private CacheUnderTest _purging = null!;
    private CacheUnderTest _cache = null!;

    public MissedPurgeTests() => _redis = new FakeRedis(_clock);

    public async ValueTask InitializeAsync()
    {
        _purging = await CacheUnderTest.StartAsync(_clock, _redis);
        _cache = await CacheUnderTest.StartAsync(_clock, _redis, ("Cache:MemoryLifetime", $"{MemoryLifetime}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _purging.DisposeAsync();
        await _cache.DisposeAsync();
    }

    [Fact]
    public async Task An_entry_of_a_list_does_not_bring_back_the_purged_one()
    {
        await StoreAndMissPurgeAsync();
        _clock.Advance(MemoryLifetime); // the entry in memory must be verified

        Assert.Null(await PutAsync(Entries.Final(_clock.Now, "listed")));
        Assert.False(_cache.Cache.HasFreshFinal(Entries.Key));
    }

    [Fact]
    public async Task An_entry_of_a_list_does_not_bring_back_the_purged_one_after_the_life_of_the_token()
    {
        await StoreAndMissPurgeAsync();
        _clock.Advance(RedisEntries.TokenLifetime);

        Assert.Equal("listed", (await PutAsync(Entries.Interim(_clock.Now, "listed"))).Text());
        Assert.Equal("listed", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task An_entry_that_Redis_did_not_verify_is_not_written_to_it_after_the_life_of_a_token()
    {
        var entry = Entries.Final(_clock.Now, "proxied");
        _clock.Advance(TimeSpan.FromMinutes(2)); // the response took long
        using (_redis.Fail())
        {
            Assert.Same(entry, await PutAsync(entry));
        }

        _clock.Advance(RedisEntries.TokenLifetime - TimeSpan.FromMinutes(2)); // since the request, a token may have come and expired
        _cache.Origin.Returns(Entries.Final(_clock.Now, "fetched"));

        Assert.Equal("fetched", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_newer_final_entry_replaces_the_purged_one_while_Redis_does_not_respond()
    {
        await StoreAndMissPurgeAsync();
        _clock.Advance(MemoryLifetime);
        using (_redis.Fail())
        {
            Assert.Equal("listed", (await PutAsync(Entries.Final(_clock.Now, "listed"))).Text());
        }
    }

    [Fact]
    public async Task A_newer_final_entry_is_served_without_Redis_although_an_older_one_was_not_verified_for_too_long()
    {
        _cache.Origin.Returns(Entries.Final(_clock.Now, "old"));
        await _cache.ReadAsync();
        using var _ = _redis.Fail();
        _clock.Advance(RedisEntries.TokenLifetime);
        await PutAsync(Entries.Final(_clock.Now, "listed"));
        _clock.Advance(2 * MemoryLifetime);

        Assert.Equal("listed", (await _cache.ReadAsync()).Entry.Text()); // the origin is not scripted
    }

    [Fact]
    public async Task A_final_entry_from_after_a_purge_stays_after_a_list_without_Redis()
    {
        await _purging.Cache.PurgeAsync(Entries.Key).WithTimeout();
        _cache.Origin.Returns(Entries.Final(_clock.Now, "final"));
        await _cache.ReadAsync();
        _clock.Advance(MemoryLifetime);
        using (_redis.Fail())
        {
            Assert.Equal("final", (await PutAsync(Entries.Interim(_clock.Now, "listed"))).Text());
        }

        _redis.Lose(":final");
        _clock.Advance(2 * MemoryLifetime);

        Assert.Equal("final", (await _cache.ReadAsync()).Entry.Text()); // the origin has no second response
    }

    [Fact]
    public async Task A_final_entry_from_after_a_purge_is_verified_by_a_list()
    {
        await _purging.Cache.PurgeAsync(Entries.Key).WithTimeout();
        _cache.Origin.Returns(Entries.Final(_clock.Now, "final"));
        var entry = (await _cache.ReadAsync()).Entry;
        _clock.Advance(MemoryLifetime);
        Assert.Null(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now));

        Assert.Same(entry, await PutAsync(Entries.Interim(_clock.Now, "listed")));

        Assert.Same(entry, _cache.Cache.TryGetFresh(Entries.Key, _clock.Now));
    }

    private async Task StoreAndMissPurgeAsync()
    {
        _cache.Origin.Returns(Entries.Final(_clock.Now, "purged"));
        await _cache.ReadAsync();
        using (_redis.Fail("publish"))
        {
            Assert.True(await _purging.Cache.PurgeAsync(Entries.Key).WithTimeout());
        }
    }

    private Task<CacheEntry?> PutAsync(CacheEntry entry) => _cache.Cache.PutAsync(entry, _cache.Cache.Purges).WithTimeout();
}
