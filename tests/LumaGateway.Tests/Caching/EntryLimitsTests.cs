using CsCheck;
using LumaGateway.Caching;
using LumaGateway.Generations;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Caching;

/// <summary>How far the times of an entry from Redis are believed. Needs nothing.</summary>
public sealed class EntryLimitsTests
{
    private static readonly DateTimeOffset Now = Entries.Noon;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private static readonly EntryLimits Limits = new(
        Final: TimeSpan.FromHours(24), Interim: TimeSpan.FromSeconds(2), Absent: TimeSpan.FromSeconds(1), Cover: TimeSpan.FromDays(7));

    [Fact]
    public void An_entry_that_keeps_to_the_limits_is_left_as_it_is() => Assert.All(
        [
            Entries.Final(Now, freshFor: Limits.Final, staleFor: Limits.Cover), Entries.Final(Now.AddDays(-3)), Entries.Interim(Now, freshFor: Limits.Interim),
            Entries.Absent(Now),
        ],
        entry => Assert.Same(entry, Limits.Bound(entry, Now)));

    [Fact]
    public void A_final_entry_is_fresh_for_the_longest_freshness_from_when_it_was_stored()
    {
        var forged = Entries.Final(Now, freshFor: TimeSpan.FromDays(3650), staleFor: TimeSpan.FromDays(3650));

        Assert.Equal((Now + Limits.Final, Now + Limits.Final + Limits.Cover), TimesOf(Limits.Bound(forged, Now)!));
        Assert.Equal((Now + Limits.Final, Now + Limits.Final + Limits.Cover), TimesOf(Limits.Bound(forged, Now.AddHours(23))!)); // however often it is read
        Assert.False(Limits.Bound(forged, Now + Limits.Final)!.IsFresh(Now + Limits.Final));
    }

    [Fact]
    public void A_final_entry_from_the_future_is_fresh_for_the_longest_freshness_from_now_and_none_where_it_is_further_off()
    {
        var forged = Entries.Final(Now + Limits.Final, freshFor: TimeSpan.FromDays(1));

        Assert.Equal(Now + Limits.Final, Limits.Bound(forged, Now)!.FreshUntil);
        Assert.Null(Limits.Bound(Entries.Final(Now + Limits.Final + Tick), Now));
        Assert.Null(Limits.Bound(Entries.Final(DateTimeOffset.MaxValue.AddDays(-30)), Now));
    }

    [Fact]
    public void An_unfinished_entry_from_the_future_is_never_fresh_and_does_not_outlast_what_comes_after_it()
    {
        var bounded = Limits.Bound(Entries.Interim(Now.AddHours(1)), Now)!;

        Assert.False(bounded.IsFresh(Now));
        Assert.False(bounded.IsFresh(Now + Tick));
        Assert.Equal(Now, bounded.StoredAt);
        Assert.False(bounded.Outranks(Entries.Interim(Now), Now));
    }

    [Fact]
    public void No_entry_was_asked_for_after_it_was_stored()
    {
        var forged = new CacheEntry(Entries.Key, EntryKind.Final, [], Now, Now.AddHours(1), Now.AddHours(1), askedAt: Now.AddHours(1));

        Assert.Equal(Now, Limits.Bound(forged, Now)!.AskedAt);
    }

    [Fact]
    public void What_is_not_a_time_stays_as_it_is()
    {
        var forged = new CacheEntry(Entries.Key, EntryKind.Final, [1, 2], Now, Now.AddDays(99), Now.AddDays(99), [3]);

        var bounded = Limits.Bound(forged, Now)!;

        Assert.Equal((forged.Subject, forged.Kind, forged.ETag), (bounded.Subject, bounded.Kind, bounded.ETag));
        Assert.Equal([1, 2], bounded.Body);
        Assert.Equal([3], bounded.Side);
    }

    [Fact]
    public void No_times_at_all_get_an_entry_over_the_limits() =>
        Gen.Select(Gen.Int[0, 2], Gen.Long[0, DateTimeOffset.MaxValue.Ticks].Array[4]).Sample(
            (kind, ticks) =>
            {
                var times = Array.ConvertAll(ticks, tick => new DateTimeOffset(tick, TimeSpan.Zero));
                var forged = new CacheEntry(Entries.Key, (EntryKind)kind, [], times[0], times[1], times[2], askedAt: times[3]);
                if (Limits.Bound(forged, Now) is not { } bounded)
                {
                    Assert.Equal(EntryKind.Final, forged.Kind);
                    return;
                }

                Assert.True(bounded.FreshUntil <= Now + Limits.Final && bounded.FreshUntil <= forged.FreshUntil);
                Assert.True(bounded.StaleUntil <= bounded.FreshUntil + Limits.Cover && bounded.StaleUntil <= forged.StaleUntil);
                Assert.True(bounded.AskedAt <= forged.StoredAt && bounded.StoredAt <= forged.StoredAt);
            },
            iter: PropertyCases.Of(10_000));

    [Fact]
    public void The_limits_are_the_longest_times_of_the_settings()
    {
        var options = new FreshnessOptions();
        Assert.Equal(new EntryLimits(options.Completed, options.UnfinishedMax, options.NotFound, options.Stale), GenerationFreshness.LimitsOf(options));

        Assert.Equal(TimeSpan.FromHours(30), GenerationFreshness.LimitsOf(new FreshnessOptions { Failed = TimeSpan.FromHours(30) }).Final);
        var (seconds, longer) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)); // an answer whose links have expired is fresh as an unfinished one is
        Assert.Equal(longer, GenerationFreshness.LimitsOf(new FreshnessOptions { Completed = seconds, Failed = seconds, UnfinishedMax = longer }).Final);
    }

    private static (DateTimeOffset FreshUntil, DateTimeOffset StaleUntil) TimesOf(CacheEntry entry) => (entry.FreshUntil, entry.StaleUntil);
}
