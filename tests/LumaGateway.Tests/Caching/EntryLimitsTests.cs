using CsCheck;
using LumaGateway.Caching;
using LumaGateway.Generations;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Caching;

/// <summary>The limits of the times in an entry from Redis. Needs nothing.</summary>
public sealed class EntryLimitsTests
{
    private static readonly DateTimeOffset Now = Entries.Noon;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private static readonly EntryLimits Limits = new(
        Final: TimeSpan.FromHours(24), Interim: TimeSpan.FromSeconds(2), NotFound: TimeSpan.FromSeconds(1), Stale: TimeSpan.FromDays(7));

    [Fact]
    public void An_entry_within_the_limits_is_returned_unchanged() => Assert.All(
        [
            Entries.Final(Now, freshFor: Limits.Final, staleFor: Limits.Stale), Entries.Final(Now.AddDays(-3)), Entries.Interim(Now, freshFor: Limits.Interim),
            Entries.NotFound(Now),
        ],
        entry => Assert.Same(entry, Limits.Clamp(entry, Now)));

    [Fact]
    public void The_freshness_of_a_final_entry_is_limited_from_the_time_it_was_stored()
    {
        var forged = Entries.Final(Now, freshFor: TimeSpan.FromDays(3650), staleFor: TimeSpan.FromDays(3650));

        Assert.Equal((Now + Limits.Final, Now + Limits.Final + Limits.Stale), TimesOf(Limits.Clamp(forged, Now)!));
        Assert.Equal((Now + Limits.Final, Now + Limits.Final + Limits.Stale), TimesOf(Limits.Clamp(forged, Now.AddHours(23))!)); // a later read does not extend them
        Assert.False(Limits.Clamp(forged, Now + Limits.Final)!.IsFresh(Now + Limits.Final));
    }

    [Fact]
    public void A_final_entry_from_the_future_is_limited_from_now_and_rejected_beyond_the_longest_freshness()
    {
        var forged = Entries.Final(Now + Limits.Final, freshFor: TimeSpan.FromDays(1));

        Assert.Equal(Now + Limits.Final, Limits.Clamp(forged, Now)!.FreshUntil);
        Assert.Null(Limits.Clamp(Entries.Final(Now + Limits.Final + Tick), Now));
        Assert.Null(Limits.Clamp(Entries.Final(DateTimeOffset.MaxValue.AddDays(-30)), Now));
    }

    [Fact]
    public void An_interim_entry_from_the_future_is_never_fresh_and_never_outranks_a_later_one()
    {
        var bounded = Limits.Clamp(Entries.Interim(Now.AddHours(1)), Now)!;

        Assert.False(bounded.IsFresh(Now));
        Assert.False(bounded.IsFresh(Now + Tick));
        Assert.Equal(Now, bounded.StoredAt);
        Assert.False(bounded.Outranks(Entries.Interim(Now), Now));
    }

    [Fact]
    public void RequestedAt_is_never_later_than_StoredAt()
    {
        var forged = new CacheEntry(Entries.Key, EntryKind.Final, [], Now, Now.AddHours(1), Now.AddHours(1)) { RequestedAt = Now.AddHours(1) };

        Assert.Equal(Now, Limits.Clamp(forged, Now)!.RequestedAt);
    }

    [Fact]
    public void Fields_other_than_times_are_unchanged()
    {
        var forged = new CacheEntry(Entries.Key, EntryKind.Final, [1, 2], Now, Now.AddDays(99), Now.AddDays(99)) { Metadata = [3] };

        var bounded = Limits.Clamp(forged, Now)!;

        Assert.Equal((forged.Key, forged.Kind, forged.ETag), (bounded.Key, bounded.Kind, bounded.ETag));
        Assert.Equal([1, 2], bounded.Body);
        Assert.Equal([3], bounded.Metadata);
    }

    [Fact]
    public void No_combination_of_times_exceeds_the_limits() =>
        Gen.Select(Gen.Int[0, 2], Gen.Long[0, DateTimeOffset.MaxValue.Ticks].Array[4]).Sample(
            (kind, ticks) =>
            {
                var times = Array.ConvertAll(ticks, tick => new DateTimeOffset(tick, TimeSpan.Zero));
                var forged = new CacheEntry(Entries.Key, (EntryKind)kind, [], times[0], times[1], times[2]) { RequestedAt = times[3] };
                if (Limits.Clamp(forged, Now) is not { } bounded)
                {
                    Assert.Equal(EntryKind.Final, forged.Kind);
                    return;
                }

                Assert.True(bounded.FreshUntil <= Now + Limits.Final && bounded.FreshUntil <= forged.FreshUntil);
                Assert.True(bounded.StaleUntil <= bounded.FreshUntil + Limits.Stale && bounded.StaleUntil <= forged.StaleUntil);
                Assert.True(bounded.RequestedAt <= forged.StoredAt && bounded.StoredAt <= forged.StoredAt);
            },
            iter: PropertyCases.Of(10_000));

    [Fact]
    public void The_limits_are_the_longest_times_in_the_settings()
    {
        var options = new FreshnessOptions();
        Assert.Equal(new EntryLimits(options.Completed, options.InterimMax, options.NotFound, options.Stale), GenerationFreshness.LimitsOf(options));

        Assert.Equal(TimeSpan.FromHours(30), GenerationFreshness.LimitsOf(new FreshnessOptions { Failed = TimeSpan.FromHours(30) }).Final);
        var (seconds, longer) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)); // a completed generation with expired links is as fresh as an interim one
        Assert.Equal(longer, GenerationFreshness.LimitsOf(new FreshnessOptions { Completed = seconds, Failed = seconds, InterimMax = longer }).Final);
    }

    private static (DateTimeOffset FreshUntil, DateTimeOffset StaleUntil) TimesOf(CacheEntry entry) => (entry.FreshUntil, entry.StaleUntil);
}
