using LumaGateway.Assets;

namespace LumaGateway.Tests.Assets;

public sealed class AllowedHostTests
{
    [Theory]
    [InlineData("cdn.test", "https://cdn.test/v", true)]
    [InlineData("cdn.test", "https://CDN.TEST/v", true)]
    [InlineData("cdn.test", "https://cdn.test:443/v", true)]
    [InlineData("cdn.test", "https://cdn.test:8443/v", false)]
    [InlineData("cdn.test", "http://cdn.test:443/v", false)]
    [InlineData("cdn.test", "https://a.cdn.test/v", false)]
    [InlineData("cdn.test", "https://evilcdn.test/v", false)]
    [InlineData("cdn.test", "https://cdn.test.evil/v", false)]
    [InlineData("*.cdn.test", "https://a.cdn.test/v", true)]
    [InlineData("*.cdn.test", "https://a.b.cdn.test/v", true)]
    [InlineData("*.cdn.test", "https://cdn.test/v", false)]
    [InlineData("*.cdn.test", "https://evilcdn.test/v", false)]
    [InlineData("*.cdn.test", "https://.cdn.test/v", false)]
    [InlineData("cdn.test:8443", "https://cdn.test:8443/v", true)]
    [InlineData("cdn.test:8443", "https://cdn.test/v", false)]
    [InlineData("bücher.test", "https://xn--bcher-kva.test/v", true)]
    [InlineData("10.0.0.1", "https://10.0.0.1/v", true)]
    [InlineData("10.0.0.1", "https://0xa000001/v", true)]
    [InlineData("[fd00::1]:8443", "https://[fd00:0::1]:8443/v", true)]
    public void A_line_of_the_list_covers_what_it_names_and_nothing_else(string line, string link, bool covered)
    {
        Assert.True(AllowedHost.TryParse(line, out var host));
        Assert.Equal(covered, Uri.TryCreate(link, UriKind.Absolute, out var address) && host.Covers(address));
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("*.*.test")]
    [InlineData("*.10.0.0.1")]
    [InlineData("cdn.test.")]
    [InlineData("cdn.test:0")]
    [InlineData("cdn.test:65536")]
    [InlineData("cdn.test:")]
    [InlineData("https://cdn.test")]
    [InlineData("cdn.test/v")]
    [InlineData("user@cdn.test")]
    [InlineData("a b")]
    public void What_is_no_host_is_refused_at_the_start(string line) => Assert.False(AllowedHost.TryParse(line, out _));
}
