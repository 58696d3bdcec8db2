using LumaGateway.Caching;

namespace LumaGateway.Tests.Caching;

/// <summary>The headers of a response that describe its freshness. Needs nothing.</summary>
public sealed class FreshnessHeadersTests
{
    [Theory]
    [InlineData(3600, "private, max-age=3600")]
    [InlineData(1, "private, max-age=1")]
    [InlineData(0, "private, no-cache")]
    [InlineData(-5, "private, no-cache")]
    public void A_client_may_cache_a_final_response_while_it_is_fresh(int ttl, string cacheControl) =>
        Assert.Equal(cacheControl, Headers(EntryKind.Final, ttl).CacheControl);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_may_not_cache_any_other_response(bool absent) =>
        Assert.Equal("private, no-cache", Headers(absent ? EntryKind.NotFound : EntryKind.Interim, 5).CacheControl);

    [Theory]
    [InlineData(0, "1")]
    [InlineData(-100, "1")]
    [InlineData(1, "2")]
    [InlineData(59, "60")]
    [InlineData(500, "60")]
    public void An_interim_response_has_Retry_After(int ttl, string retryAfter) =>
        Assert.Equal(retryAfter, Headers(EntryKind.Interim, ttl).RetryAfter);

    [Fact]
    public void No_other_response_has_Retry_After()
    {
        Assert.Null(Headers(EntryKind.Final, 5).RetryAfter);
        Assert.Null(Headers(EntryKind.NotFound, 5).RetryAfter);
    }

    [Theory]
    [InlineData(0.5, 9, "LumaGateway; hit; ttl=9")] // rounded down
    [InlineData(9.5, 0, "LumaGateway; hit; ttl=0")]
    [InlineData(10.5, -1, "LumaGateway; hit; ttl=-1")] // negative past freshness, RFC 9211
    public void The_status_of_a_hit_has_the_remaining_freshness(double age, int ttl, string status)
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
            _ => Entries.NotFound(Entries.Noon),
        };
        return entry.HeadersAt(entry.FreshUntil.AddSeconds(-ttl));
    }
}
