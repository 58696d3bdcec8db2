using System.Globalization;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Tests.Upstreams.Wire;

public sealed class SignedUrlTests
{
    [Theory]
    [InlineData("X-Amz-Date=20260408T120500Z&X-Amz-Expires=3600&X-Amz-Signature=00", "2026-04-08T13:05:00Z")]
    [InlineData("X-Amz-Expires=604800&x=y&X-Amz-Date=20260408T120500Z", "2026-04-15T12:05:00Z")]
    [InlineData("x-amz-date=20260408T120500Z&x-amz-expires=0", "2026-04-08T12:05:00Z")]
    [InlineData("X-Goog-Date=20260408T120500Z&X-Goog-Expires=900", "2026-04-08T12:20:00Z")]
    [InlineData("Expires=1775653500&Signature=00&Key-Pair-Id=K", "2026-04-08T13:05:00Z")]
    [InlineData("expires=1775653500", "2026-04-08T13:05:00Z")]
    [InlineData("Expires=1775653500000", "2026-04-08T13:05:00Z")]
    [InlineData("sv=2024&se=2026-04-08T13:05:00Z&sig=00", "2026-04-08T13:05:00Z")]
    [InlineData("se=2026-04-08T13%3A05%3A00Z", "2026-04-08T13:05:00Z")]
    [InlineData("se=2026-04-08T13:05:00Z#t=3&se=2020-01-01T00:00:00Z", "2026-04-08T13:05:00Z")]
    [InlineData("Expires=1775653500&se=2026-04-08T12:00:00Z", "2026-04-08T12:00:00Z")]
    [InlineData("X-Amz-Date=20260408T120500Z&X-Amz-Expires=3600&Expires=1775653499", "2026-04-08T13:04:59Z")]
    [InlineData("se=2026-04-08T13:00:00Z&Expires=1775653500", "2026-04-08T13:00:00Z")]
    [InlineData("se=2026-04-08T14:00:00Z&Expires=1775653500", "2026-04-08T13:05:00Z")]
    [InlineData("Expires=1775653500&Expires=1775653400", "2026-04-08T13:05:00Z")]
    [InlineData("x=1&Expires=17756%353500", "2026-04-08T13:05:00Z")]
    [InlineData("Expires=1000000000", "2001-09-09T01:46:40Z")]
    [InlineData("X-Amz-Date=99991231T235959Z&X-Amz-Expires=0", "9999-12-31T23:59:59Z")]
    [InlineData("X-Amz-Date=99991231T235900Z&X-Amz-Expires=59", "9999-12-31T23:59:59Z")]
    public void The_expiry_of_a_signed_link_is_read(string query, string expected) =>
        Assert.Equal(
            DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture),
            SignedUrl.ExpiryOf("https://h/v.mp4?" + query));

    [Theory]
    [InlineData("https://h/v.mp4")]
    [InlineData("https://h/v.mp4?")]
    [InlineData("https://h/v.mp4?&&=&==&a")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20260408T120500Z")]
    [InlineData("https://h/v.mp4?X-Amz-Expires=3600")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20260408T120500Z&X-Goog-Expires=3600")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20260408&X-Amz-Expires=3600")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20269908T120500Z&X-Amz-Expires=3600")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20260408T120500Z&X-Amz-Expires=-1")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20260408T120500Z&X-Amz-Expires=9223372036854775807")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20260408T120500Z&X-Amz-Expires=99999999999999999999")]
    [InlineData("https://h/v.mp4?X-Amz-Date=99991231T235959Z&X-Amz-Expires=1")]
    [InlineData("https://h/v.mp4?Expires=3600")]
    [InlineData("https://h/v.mp4?Expires=999999999")]
    [InlineData("https://h/v.mp4?X-Amz-Date=99991231T235900Z&X-Amz-Expires=60")]
    [InlineData("https://h/v.mp4?X-Amz-Date=20260408T120500Z&X-Amz-Expires= 3600")]
    [InlineData("https://h/v.mp4?=1775653500")]
    [InlineData("https://h/v.mp4?Expires")]
    [InlineData("https://h/v.mp4#t=3")]
    [InlineData("https://h/v.mp4?Expires=never")]
    [InlineData("https://h/v.mp4?Expires=1e30")]
    [InlineData("https://h/v.mp4?se=1775653500")]
    [InlineData("https://h/v.mp4?se=%ff%00")]
    [InlineData("https://h/v.mp4?NotExpires=1775653500")]
    [InlineData("https://h/Expires=1775653500/v.mp4")]
    [InlineData("https://h/v.mp4#?Expires=1775653500")]
    public void A_link_that_does_not_say_when_it_ends_has_no_expiry(string url) => Assert.Null(SignedUrl.ExpiryOf(url));
}
