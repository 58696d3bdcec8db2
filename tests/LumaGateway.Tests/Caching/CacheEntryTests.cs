using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Caching;

/// <summary>The freshness, size and ETag of one entry. Needs nothing.</summary>
public sealed class CacheEntryTests
{
    private static readonly DateTimeOffset Now = Entries.Noon;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    [Fact]
    public void An_entry_is_fresh_before_FreshUntil_and_not_at_it()
    {
        var entry = Entries.Final(Now, freshFor: TimeSpan.FromHours(1));

        Assert.True(entry.IsFresh(Now));
        Assert.True(entry.IsFresh(Now.AddHours(1) - Tick));
        Assert.False(entry.IsFresh(Now.AddHours(1)));
    }

    [Theory]
    [InlineData(2.0, true)]
    [InlineData(2.1, false)]
    public void An_interim_entry_stored_more_than_two_seconds_in_the_future_is_not_fresh(double secondsAhead, bool isFresh)
    {
        var entry = Entries.Interim(Now.AddSeconds(secondsAhead), freshFor: TimeSpan.FromMinutes(1));

        Assert.Equal(isFresh, entry.IsFresh(Now));
        Assert.Equal(!isFresh, entry.IsFromTheFuture(Now));
    }

    [Fact]
    public void A_not_found_entry_from_the_future_is_not_fresh() => Assert.False(Entries.NotFound(Now.AddMinutes(1)).IsFresh(Now));

    [Fact]
    public void A_final_entry_is_fresh_even_with_a_time_in_the_future()
    {
        var entry = Entries.Final(Now.AddMinutes(10));

        Assert.True(entry.IsFresh(Now));
        Assert.False(entry.IsFromTheFuture(Now));
    }

    [Theory]
    [InlineData(100, 90)] // the last tenth
    [InlineData(600, 540)] // a tenth is a minute
    [InlineData(36_000, 35_940)] // a minute at most
    public void Refresh_ahead_of_a_final_entry_starts_in_the_last_tenth_of_its_freshness_at_most_one_minute_before_its_end(int freshFor, int refreshFrom) =>
        Assert.Equal(Now.AddSeconds(refreshFrom), Entries.Final(Now, freshFor: TimeSpan.FromSeconds(freshFor)).RefreshFrom);

    [Fact]
    public void Refresh_ahead_applies_only_to_final_entries()
    {
        var (interim, absent) = (Entries.Interim(Now), Entries.NotFound(Now));

        Assert.Equal(interim.FreshUntil, interim.RefreshFrom);
        Assert.Equal(absent.FreshUntil, absent.RefreshFrom);
    }

    [Fact]
    public void Only_a_final_entry_can_be_served_stale_and_only_before_StaleUntil()
    {
        var final = Entries.Final(Now, freshFor: TimeSpan.FromHours(1), staleFor: TimeSpan.FromHours(1));

        Assert.True(final.CanServeStale(Now.AddHours(2) - Tick));
        Assert.False(final.CanServeStale(Now.AddHours(2)));
        Assert.False(Entries.Interim(Now).CanServeStale(Now));
        Assert.False(Entries.NotFound(Now).CanServeStale(Now - Tick));
    }

    [Fact]
    public void The_ETag_is_a_quoted_digest_of_the_body_alone()
    {
        var one = Entries.Final(Now, "body");
        var same = Entries.Interim(Now.AddDays(1), "body", key: GenerationId.Parse("g2", null));

        Assert.Matches("^\"[0-9a-f]{32}\"$", one.ETag);
        Assert.Equal(one.ETag, same.ETag);
        Assert.NotEqual(one.ETag, Entries.Final(Now, "Body").ETag);
    }

    [Fact]
    public void The_size_counts_the_body_the_metadata_and_the_id()
    {
        var size = Entries.Any(EntryKind.Final, "id", [], []).Size;

        Assert.True(size >= 256);
        Assert.Equal(size + 10, Entries.Any(EntryKind.Final, "id", new byte[10], []).Size);
        Assert.Equal(size + 20, Entries.Any(EntryKind.Final, "id", [], new byte[20]).Size);
        Assert.Equal(size + 6, Entries.Any(EntryKind.Final, "id123", [], []).Size);
    }

    [Fact]
    public void An_entry_without_metadata_has_empty_metadata()
    {
        Assert.Empty(Entries.Final(Now).Metadata);
        Assert.Equal([7], Entries.Any(EntryKind.Final, "id", [], [7]).Metadata);
    }

    [Fact]
    public void The_headers_of_one_second_are_one_instance()
    {
        var entry = Entries.Final(Now, freshFor: TimeSpan.FromSeconds(10));

        var first = entry.HeadersAt(Now.AddSeconds(0.5));
        var sameSecond = entry.HeadersAt(Now.AddSeconds(0.9));
        var nextSecond = entry.HeadersAt(Now.AddSeconds(1.1));

        Assert.Same(first, sameSecond);
        Assert.NotSame(first, nextSecond);
        Assert.Equal((9L, 8L), (first.Ttl, nextSecond.Ttl));
    }
}
