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
    public void An_entry_matches_only_its_hosts_and_ports(string entry, string link, bool isMatch)
    {
        Assert.True(AllowedHost.TryParse(entry, out var host));
        Assert.Equal(isMatch, Uri.TryCreate(link, UriKind.Absolute, out var address) && host.Matches(address));
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
    public void An_invalid_entry_is_rejected(string entry) => Assert.False(AllowedHost.TryParse(entry, out _));
}
