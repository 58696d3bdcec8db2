using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Redis;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Caching;

/// <summary>The memory tier: its limit, the entries that it stores or rejects, and the state of one entry. Needs nothing.</summary>
public sealed class MemoryTierTests : IDisposable
{
    private const int MemoryBytes = 64 * 1024;

    private static readonly GenerationId Key = Entries.Key;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly FakeTimeProvider _clock = new(Entries.Noon);
    private readonly MemoryTier _memory;

    private readonly RedisState _redis;

    public MemoryTierTests()
    {
        _redis = new RedisState(_clock);
        _memory = new MemoryTier(Options.Create(new CacheOptions { MemoryBytes = MemoryBytes }), _redis, _clock);
    }


    private DateTimeOffset Now => _clock.GetUtcNow();

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void A_stored_entry_is_found_until_it_is_removed()
    {
        Assert.Null(_memory.Find(Key));
        var stored = Set(Entries.Interim(Now));

        Assert.Same(stored, _memory.Find(Key));
        Assert.Null(_memory.Find(GenerationId.Parse("g2", null)));

        _memory.Remove(Key);
        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void An_entry_expires_by_the_injected_clock()
    {
        var stored = Set(Entries.NotFound(Now));

        _clock.Advance(TimeSpan.FromSeconds(1) - Tick);
        Assert.Same(stored, _memory.Find(Key));

        _clock.Advance(Tick);
        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void An_interim_entry_never_replaces_a_final_one()
    {
        var final = Set(Entries.Final(Now));

        var cached = Set(Entries.Interim(Now, "late"));

        Assert.Same(final, cached);
        Assert.Same(final, _memory.Find(Key));
    }

    [Fact]
    public void An_interim_entry_older_than_a_removed_final_one_is_not_stored_for_ten_minutes()
    {
        Set(Entries.Final(Now));
        _memory.Remove(Key);
        _memory.Remove(Key);

        Assert.Null(_memory.Find(Key));
        foreach (var older in new[] { Entries.Interim(Now - Tick, freshFor: TimeSpan.FromHours(1)), Entries.NotFound(Now - Tick) })
        {
            Assert.True(_memory.IsOutdated(older));
            Assert.Same(older, Set(older).Entry);
            Assert.Null(_memory.Find(Key));
        }

        _clock.Advance(TimeSpan.FromMinutes(10));
        Assert.False(_memory.IsOutdated(Entries.Interim(Now.AddHours(-1))));
    }

    [Fact]
    public void An_interim_entry_as_new_as_a_removed_final_one_and_an_older_final_one_are_stored()
    {
        foreach (var entry in new[] { Entries.Interim(Now), Entries.Final(Now.AddMinutes(-1)) })
        {
            Set(Entries.Final(Now));
            _memory.Remove(Key);

            Assert.False(_memory.IsOutdated(entry));
            Set(entry);
            Assert.Same(entry, _memory.Find(Key)?.Entry);
        }
    }

    [Fact]
    public void A_final_entry_from_the_future_keeps_no_interim_one_out()
    {
        _memory.NoteUnstored(Entries.Final(Now.AddSeconds(3)));

        Assert.False(_memory.IsOutdated(Entries.Interim(Now)));
    }

    [Fact]
    public void Every_other_entry_replaces_the_previous_one()
    {
        CacheEntry[] entries =
            [Entries.Interim(Now, "1"), Entries.Interim(Now, "2"), Entries.Final(Now, "3"), Entries.Final(Now, "4"), Entries.NotFound(Now), Entries.Interim(Now, "5")];

        Assert.All(entries, entry =>
        {
            var cached = Set(entry);

            Assert.Same(entry, cached.Entry);
            Assert.Same(entry, _memory.Find(Key)?.Entry);
        });
    }

    [Fact]
    public void A_stale_final_entry_is_stored_until_StaleUntil()
    {
        var stale = Entries.Final(Now.AddHours(-2), freshFor: TimeSpan.FromHours(1), staleFor: TimeSpan.FromHours(2));

        Set(stale);

        Assert.Same(stale, _memory.Find(Key)?.Entry);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void An_expired_entry_is_returned_but_not_stored(int secondsAgo)
    {
        var over = Entries.Interim(Now.AddSeconds(-2 - secondsAgo), freshFor: TimeSpan.FromSeconds(2));

        var cached = Set(over);

        Assert.Same(over, cached.Entry);
        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void An_entry_larger_than_the_memory_limit_is_not_stored()
    {
        Set(Entries.Final(Now, new string('x', MemoryBytes)));

        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void All_entries_together_stay_within_the_memory_limit()
    {
        const int Size = 1024;
        for (var i = 0; i < 1000; i++)
        {
            Set(Entries.Final(Now, new string('x', Size), key: GenerationId.Parse($"g{i}", null)));
        }

        var found = Enumerable.Range(0, 1000).Count(i => _memory.Find(GenerationId.Parse($"g{i}", null)) is not null);
        Assert.InRange(found, 1, MemoryBytes / Size);
    }

    [Fact]
    public void A_disposed_memory_tier_throws()
    {
        _memory.Dispose();

        Assert.Throws<ObjectDisposedException>(() => _memory.Find(Key));
    }

    [Fact]
    public void An_entry_can_be_served_while_it_is_fresh_and_before_VerifyAt()
    {
        var start = _clock.GetTimestamp();
        var cached = new MemoryEntry(Entries.Final(Now, freshFor: TimeSpan.FromHours(1)), start + _clock.TimestampFrequency, "token", start);

        Assert.Equal("token", cached.InvalidationToken);
        _clock.Advance(TimeSpan.FromSeconds(1) - Tick);
        Assert.True(_memory.CanServe(cached, Now.AddMinutes(1)));
        _clock.Advance(Tick);
        Assert.False(_memory.CanServe(cached, Now.AddMinutes(1)));
        Assert.False(_memory.CanServe(new MemoryEntry(cached.Entry, long.MaxValue, null, start), Now.AddHours(1)));
    }

    [Fact]
    public void An_entry_that_was_verified_before_messages_arrived_is_verified_again()
    {
        var cached = Set(Entries.Final(Now));
        _clock.Advance(Tick);

        _redis.StartReceiving();
        Assert.False(_memory.IsVerified(cached));
        Assert.True(_memory.IsVerified(new MemoryEntry(cached.Entry, long.MaxValue, null, _clock.GetTimestamp())));

        _redis.StopReceiving(); // without Redis no entry can be verified
        Assert.True(_memory.IsVerified(cached));
    }

    [Fact]
    public void One_caller_claims_the_refresh_and_the_next_one_after_the_pause()
    {
        var cached = Set(Entries.Final(Now));
        var next = Now.AddSeconds(2);

        Assert.True(cached.TryClaimRefresh(Now, next));
        Assert.False(cached.TryClaimRefresh(Now, next));
        Assert.False(cached.TryClaimRefresh(next - Tick, next));
        Assert.True(cached.TryClaimRefresh(next, next.AddSeconds(2)));
    }

    [Fact]
    public void One_of_many_concurrent_callers_claims_the_refresh()
    {
        var cached = Set(Entries.Final(Now));
        using var together = new Barrier(8);
        var claims = 0;
        var callers = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            together.SignalAndWait();
            if (cached.TryClaimRefresh(Now, Now.AddSeconds(2)))
            {
                Interlocked.Increment(ref claims);
            }
        })).ToList();

        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());

        Assert.Equal(1, claims);
    }

    [Fact]
    public void MarkStale_stores_the_fault_and_delays_the_next_refresh()
    {
        var cached = Set(Entries.Final(Now));
        Assert.Null(cached.StaleReason);
        var fault = new UpstreamException(UpstreamFault.Failed, "broken");

        cached.MarkStale(fault, Now.AddSeconds(2));

        Assert.Same(fault, cached.StaleReason?.Fault);
        Assert.False(cached.TryClaimRefresh(Now.AddSeconds(2) - Tick, Now.AddSeconds(4)));
        Assert.True(cached.TryClaimRefresh(Now.AddSeconds(2), Now.AddSeconds(4)));
    }

    private MemoryEntry Set(CacheEntry entry) => _memory.Set(new MemoryEntry(entry, long.MaxValue, null, verifiedAt: 0));
}
