using System.Text.Json;
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
    [InlineData("https://h/\u732b.mp4")]
    public void An_absolute_web_link_keeps_its_own_spelling(string url)
    {
        Assert.Equal(url, Read(JsonSerializer.Serialize(url)));
        Assert.Equal(url, Read(JsonSerializer.Serialize(new { url })));
    }

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
    [InlineData("\"https://h/v\\u0085.mp4\"")]
    [InlineData("\"https://h/v\\u202e4pm.exe\"")]
    [InlineData("\"https://h/v\\u00a0.mp4\"")]
    [InlineData("\"https://h/v\\ud800.mp4\"")]
    [InlineData("\"https://h/%zz\"")]
    [InlineData("\"https://h:99999/v.mp4\"")]
    [InlineData("7")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"url\":null}")]
    [InlineData("{\"url\":{\"url\":\"https://h/v.mp4\"}}")]
    [InlineData("{\"URL\":\"https://h/v.mp4\"}")]
    [InlineData("[\"https://h/v.mp4\"]")]
    public void What_is_no_absolute_web_link_is_null(string json) => Assert.Null(Read(json));

    private static string? Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.AsAssetUrl();
    }
}
