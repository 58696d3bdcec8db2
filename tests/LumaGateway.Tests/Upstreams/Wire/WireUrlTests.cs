using System.Text.Json;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Tests.Upstreams.Wire;

public sealed class WireUrlTests
{
    [Theory]
    [InlineData("https://h")]
    [InlineData("http://h/v.mp4")]
    [InlineData("HTTPS://Storage.CDN-Luma.com/A%20b/../v.mp4?q=%2F#f")]
    [InlineData("https://h:8443/v.mp4?X-Amz-Credential=AKIA/20260408/us-east-1/s3/aws4_request&a@b=c")]
    [InlineData("https://127.0.0.1/v.mp4")]
    [InlineData("https://[::1]/v.mp4")]
    [InlineData("https://h/%E7%8C%AB%20dance.mp4")]
    [InlineData("https://h/%e7%8c%ab%20dance.mp4")]
    [InlineData("https://h/%22v%22.mp4")]
    [InlineData("https://h/%F0%9F%90%B1.mp4?%F0%9F%90%B1=%00%ff")]
    [InlineData("https://h/a%2Fb//../c.mp4;v=1,2")]
    [InlineData("https://h./v.mp4")]
    [InlineData("https://a_b.example/v.mp4")]
    [InlineData("https://a..b/v.mp4")]
    [InlineData("https://!$&'()*+,;=%41/v.mp4")]
    [InlineData("https://h:/v.mp4")]
    [InlineData("https://h?q")]
    [InlineData("https://h#f?/:@")]
    [InlineData("https://h/v.mp4?filter[x]=1&redirect=https://x/?y")]
    [InlineData("https://[2001:db8::7]:8443/v.mp4")]
    public void An_absolute_http_url_is_returned_unchanged(string url)
    {
        Assert.Equal(url, Read(JsonSerializer.Serialize(url)));
        Assert.Equal(url, Read(JsonSerializer.Serialize(new { url })));
    }

    [Theory]
    [InlineData("https://h/\u732b.mp4", "https://h/%E7%8C%AB.mp4")]
    [InlineData("https://h/%20\ud83d\udc31?\u00e9=%c3%a9#\u00e9", "https://h/%20%F0%9F%90%B1?%C3%A9=%c3%a9#%C3%A9")]
    [InlineData("https://h/v\u0085.mp4", "https://h/v%C2%85.mp4")]
    [InlineData("https://h/v\u202e4pm.exe", "https://h/v%E2%80%AE4pm.exe")]
    [InlineData("https://h/v\u00a0.mp4", "https://h/v%C2%A0.mp4")]
    [InlineData("https://b\u00fccher.example:8443/\u00fc", "https://xn--bcher-kva.example:8443/%C3%BC")]
    public void Characters_outside_ascii_are_percent_encoded_as_utf8_and_a_host_becomes_an_a_label(string text, string url) =>
        Assert.Equal(url, Read(JsonSerializer.Serialize(text)));

    [Fact]
    public void Every_generated_url_of_rfc_3986_is_returned_with_the_same_bytes() =>
        PropertyCases.Check(HttpUrls.Any, url => Assert.Equal(url, Read(JsonSerializer.Serialize(url))), 200_000, atLeast: 20_000);

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"v.mp4\"")]
    [InlineData("\"/v.mp4\"")]
    [InlineData("\"//h/v.mp4\"")]
    [InlineData("\"h/v.mp4\"")]
    [InlineData("\"ftp://h/v.mp4\"")]
    [InlineData("\"file:///etc/passwd\"")]
    [InlineData("\"javascript:alert(1)\"")]
    [InlineData("\"data:video/mp4;base64,AAAA\"")]
    [InlineData("\"https:\"")]
    [InlineData("\"https://\"")]
    [InlineData("\"https:///v.mp4\"")]
    [InlineData("\"https:h/v.mp4\"")]
    [InlineData("\"https://user@h/v.mp4\"")]
    [InlineData("\"https://user:secret@h/v.mp4\"")]
    [InlineData("\"https://@h/v.mp4\"")]
    [InlineData("\"https://:@h/v.mp4\"")]
    [InlineData("\"https://h\\\\@other/v.mp4\"")]
    [InlineData("\"https:\\\\\\\\h\\\\v.mp4\"")]
    [InlineData("\"https://h/a b.mp4\"")]
    [InlineData("\" https://h/v.mp4\"")]
    [InlineData("\"https://h/v.mp4\\n\"")]
    [InlineData("\"https://h/v.mp4\\u0000\"")]
    [InlineData("\"https://h/v\\ud800.mp4\"")]
    [InlineData("\"https://h/%zz\"")]
    [InlineData("\"https://h/%\"")]
    [InlineData("\"https://h/%2\"")]
    [InlineData("\"https://h%/\"")]
    [InlineData("\"https://h/#a#b\"")]
    [InlineData("\"https://h/{x}\"")]
    [InlineData("\"https://h/<x>\"")]
    [InlineData("\"https://h:99999/v.mp4\"")]
    [InlineData("\"https://h:8o/v.mp4\"")]
    [InlineData("\"https://:80/v.mp4\"")]
    [InlineData("\"https://[::1/v.mp4\"")]
    [InlineData("\"https://[127.0.0.1]/v.mp4\"")]
    [InlineData("\"https://\\ud83d\\udc31@h/v.mp4\"")]
    [InlineData("7")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"url\":null}")]
    [InlineData("{\"url\":{\"url\":\"https://h/v.mp4\"}}")]
    [InlineData("{\"URL\":\"https://h/v.mp4\"}")]
    [InlineData("[\"https://h/v.mp4\"]")]
    public void A_value_that_is_not_an_absolute_http_url_is_null(string json) => Assert.Null(Read(json));

    private static string? Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.AsAssetUrl();
    }
}
