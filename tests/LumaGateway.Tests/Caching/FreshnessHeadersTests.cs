using LumaGateway.Caching;

namespace LumaGateway.Tests.Caching;

/// <summary>The headers that tell a caller how fresh an answer is. Needs nothing.</summary>
public sealed class FreshnessHeadersTests
{
    [Theory]
    [InlineData(3600, "private, max-age=3600")]
    [InlineData(1, "private, max-age=1")]
    [InlineData(0, "private, no-cache")]
    [InlineData(-5, "private, no-cache")]
    public void A_final_answer_may_be_kept_by_its_caller_while_it_is_fresh(int ttl, string cacheControl) =>
        Assert.Equal(cacheControl, Headers(EntryKind.Final, ttl).CacheControl);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_other_answer_may_not_be_kept(bool absent) =>
        Assert.Equal("private, no-cache", Headers(absent ? EntryKind.Absent : EntryKind.Interim, 5).CacheControl);

    [Theory]
    [InlineData(0, "1")]
    [InlineData(-100, "1")]
    [InlineData(1, "2")]
    [InlineData(59, "60")]
    [InlineData(500, "60")]
    public void An_interim_answer_says_when_to_ask_again(int ttl, string retryAfter) =>
        Assert.Equal(retryAfter, Headers(EntryKind.Interim, ttl).RetryAfter);

    [Fact]
    public void No_other_answer_says_when_to_ask_again()
    {
        Assert.Null(Headers(EntryKind.Final, 5).RetryAfter);
        Assert.Null(Headers(EntryKind.Absent, 5).RetryAfter);
    }

    [Theory]
    [InlineData(0.5, 9, "LumaGateway; hit; ttl=9")] // rounded down
    [InlineData(9.5, 0, "LumaGateway; hit; ttl=0")]
    [InlineData(10.5, -1, "LumaGateway; hit; ttl=-1")] // negative past freshness, RFC 9211
    public void A_hit_says_how_long_the_answer_is_still_fresh(double age, int ttl, string status)
    {
        var headers = Entries.Final(Entries.Noon, freshFor: TimeSpan.FromSeconds(10)).HeadersAt(Entries.Noon.AddSeconds(age));

        Assert.Equal((ttl, status), (headers.Ttl, headers.HitStatus));
    }

    /// <summary>The headers of an entry that has this many seconds of freshness left.</summary>
    private static FreshnessHeaders Headers(EntryKind kind, int ttl)
    {
        var entry = kind switch
        {
            EntryKind.Final => Entries.Final(Entries.Noon, freshFor: TimeSpan.FromHours(2)),
            EntryKind.Interim => Entries.Interim(Entries.Noon, freshFor: TimeSpan.FromHours(2)),
            _ => Entries.Absent(Entries.Noon),
        };
        return entry.HeadersAt(entry.FreshUntil.AddSeconds(-ttl));
    }
}
