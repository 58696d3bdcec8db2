using LumaGateway.Caching;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Caching;

/// <summary>The memory tier: what it keeps, what it refuses, and what it remembers of one entry. Needs nothing.</summary>
public sealed class MemoryTierTests : IDisposable
{
    private const int MemoryBytes = 64 * 1024;

    private static readonly CacheKey Key = Entries.Key;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly FakeTimeProvider _clock = new(Entries.Noon);
    private readonly MemoryTier _memory;

    public MemoryTierTests() => _memory = new MemoryTier(Options.Create(new CacheOptions { MemoryBytes = MemoryBytes }), _clock);

    private DateTimeOffset Now => _clock.GetUtcNow();

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void An_entry_that_was_kept_is_found_and_one_that_was_purged_is_not()
    {
        Assert.Null(_memory.Find(Key));
        var kept = Keep(Entries.Interim(Now));

        Assert.Same(kept, _memory.Find(Key));
        Assert.Null(_memory.Find(new CacheKey("g2")));

        _memory.Remove(Key);
        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void An_entry_is_held_until_its_end_by_the_clock_whatever_the_machines_own_says()
    {
        var kept = Keep(Entries.Absent(Now));

        _clock.Advance(TimeSpan.FromSeconds(1) - Tick);
        Assert.Same(kept, _memory.Find(Key));

        _clock.Advance(Tick);
        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void An_interim_entry_never_replaces_a_final_one()
    {
        var final = Keep(Entries.Final(Now));

        var held = Keep(Entries.Interim(Now, "late"));

        Assert.Same(final, held);
        Assert.Same(final, _memory.Find(Key));
    }

    [Fact]
    public void Every_other_entry_replaces_the_one_before()
    {
        CacheEntry[] entries =
            [Entries.Interim(Now, "1"), Entries.Interim(Now, "2"), Entries.Final(Now, "3"), Entries.Final(Now, "4"), Entries.Absent(Now), Entries.Interim(Now, "5")];

        Assert.All(entries, entry =>
        {
            var held = Keep(entry);

            Assert.Same(entry, held.Entry);
            Assert.Same(entry, _memory.Find(Key)?.Entry);
        });
    }

    [Fact]
    public void A_final_entry_past_its_freshness_is_kept_for_as_long_as_it_may_be_served_over_an_error()
    {
        var stale = Entries.Final(Now.AddHours(-2), freshFor: TimeSpan.FromHours(1), staleFor: TimeSpan.FromHours(2));

        Keep(stale);

        Assert.Same(stale, _memory.Find(Key)?.Entry);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void An_entry_whose_time_is_over_is_given_back_but_not_kept(int secondsAgo)
    {
        var over = Entries.Interim(Now.AddSeconds(-2 - secondsAgo), freshFor: TimeSpan.FromSeconds(2));

        var held = Keep(over);

        Assert.Same(over, held.Entry);
        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void An_entry_larger_than_the_memory_is_not_kept()
    {
        Keep(Entries.Final(Now, new string('x', MemoryBytes)));

        Assert.Null(_memory.Find(Key));
    }

    [Fact]
    public void Entries_together_take_no_more_than_the_memory_they_may_take()
    {
        const int Size = 1024;
        for (var i = 0; i < 1000; i++)
        {
            Keep(Entries.Final(Now, new string('x', Size), key: new CacheKey($"g{i}")));
        }

        var found = Enumerable.Range(0, 1000).Count(i => _memory.Find(new CacheKey($"g{i}")) is not null);
        Assert.InRange(found, 1, MemoryBytes / Size);
    }

    [Fact]
    public void Memory_that_was_given_back_is_not_used()
    {
        _memory.Dispose();

        Assert.Throws<ObjectDisposedException>(() => _memory.Find(Key));
    }

    [Fact]
    public void An_entry_is_given_without_asking_anybody_while_it_is_fresh_and_Redis_was_looked_at_lately()
    {
        var held = new MemoryEntry(Entries.Final(Now, freshFor: TimeSpan.FromHours(1)), Now.AddMinutes(1), "token", verifiedAt: 0);

        Assert.Equal("token", held.InvalidationToken);
        Assert.True(held.CanServe(Now.AddMinutes(1) - Tick));
        Assert.False(held.CanServe(Now.AddMinutes(1)));
        Assert.False(new MemoryEntry(held.Entry, DateTimeOffset.MaxValue, null, verifiedAt: 0).CanServe(Now.AddHours(1)));
    }

    [Fact]
    public void One_caller_claims_the_refresh_and_the_next_only_after_the_pause()
    {
        var held = Keep(Entries.Final(Now));
        var next = Now.AddSeconds(2);

        Assert.True(held.TryClaimRefresh(Now, next));
        Assert.False(held.TryClaimRefresh(Now, next));
        Assert.False(held.TryClaimRefresh(next - Tick, next));
        Assert.True(held.TryClaimRefresh(next, next.AddSeconds(2)));
    }

    [Fact]
    public void Of_many_callers_at_the_same_moment_one_claims_the_refresh()
    {
        var held = Keep(Entries.Final(Now));
        using var together = new Barrier(8);
        var claims = 0;
        var callers = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            together.SignalAndWait();
            if (held.TryClaimRefresh(Now, Now.AddSeconds(2)))
            {
                Interlocked.Increment(ref claims);
            }
        })).ToList();

        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());

        Assert.Equal(1, claims);
    }

    [Fact]
    public void An_entry_served_over_an_error_remembers_the_error_and_when_to_ask_again()
    {
        var held = Keep(Entries.Final(Now));
        Assert.Null(held.StaleReason);
        var fault = new UpstreamException(UpstreamFault.Failed, "broken");

        held.MarkStale(fault, Now.AddSeconds(2));

        Assert.Same(fault, held.StaleReason?.Fault);
        Assert.False(held.TryClaimRefresh(Now.AddSeconds(2) - Tick, Now.AddSeconds(4)));
        Assert.True(held.TryClaimRefresh(Now.AddSeconds(2), Now.AddSeconds(4)));
    }

    private MemoryEntry Keep(CacheEntry entry) => _memory.Set(new MemoryEntry(entry, DateTimeOffset.MaxValue, null, verifiedAt: 0));
}
