using System.Net;
using LumaGateway.Assets;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Assets;

/// <summary>Media types of assets that the CDN does not describe, or describes with an unusual <c>Content-Type</c>.</summary>
public sealed class AssetMediaTypeTests : IAsyncLifetime
{
    private static readonly byte[] Mp4 = [0, 0, 0, 0x18, .. "ftypmp42"u8, .. Enumerable.Range(0, 200_000).Select(i => (byte)(i * 31))];

    private Cdn _cdn = null!;
    private Gateway _gateway = null!;
    private HttpClient _caller = null!;

    public async ValueTask InitializeAsync()
    {
        _cdn = await Cdn.StartAsync();
        _gateway = AssetGateway.For(_cdn);
        _gateway.Upstream.AlwaysJson(AssetGateway.Completed(_cdn.Link()));
        _caller = _gateway.CreateCaller();
    }

    public async ValueTask DisposeAsync()
    {
        _caller.Dispose();
        await _gateway.DisposeAsync();
        await _cdn.DisposeAsync();
    }

    [Theory]
    [InlineData("application/octet-stream")]
    [InlineData("Binary/Octet-Stream; charset=utf-8")]
    [InlineData(null)]
    public async Task A_video_without_a_media_type_is_sent_as_a_video(string? type)
    {
        Serve(type);

        using var response = await SendAsync(HttpMethod.Get);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Mp4, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(("video/mp4", "nosniff"), (response.Header("Content-Type"), response.Header("X-Content-Type-Options")));
        Assert.Equal("attachment; filename=\"g1.mp4\"", response.Header("Content-Disposition"));
        Assert.Single(_cdn.Requests);
    }

    [Theory]
    [InlineData("HEAD", null, 200)]
    [InlineData("GET", "bytes=1000-1999", 206)]
    public async Task The_first_bytes_are_requested_if_the_response_does_not_contain_them(string method, string? range, int status)
    {
        Serve("application/octet-stream", times: 2);

        using var response = await SendAsync(new HttpMethod(method), range);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("video/mp4", response.Header("Content-Type"));
        Assert.Equal(2, _cdn.Requests.Count);
        Assert.Equal(("GET", "bytes=0-63"), (_cdn.Requests[1].Method, _cdn.Requests[1].Headers["Range"]));
        if (range is not null)
        {
            Assert.Equal(Mp4[1000..2000], await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task A_range_of_a_file_that_is_no_video_is_a_502()
    {
        Serve("application/octet-stream", "<!doctype html><script>alert(1)</script>"u8.ToArray(), times: 2);

        using var response = await SendAsync(HttpMethod.Get, "bytes=10-");

        await response.ProblemAsync(502, "asset_not_media");
    }

    [Theory]
    [InlineData("video/mp4;", "video/mp4")]
    [InlineData("video/mp4; ;", "video/mp4")]
    [InlineData("video/mp4, video/mp4", "video/mp4")]
    [InlineData("application/octet-stream, video/webm", "video/webm")]
    [InlineData("video/mp4; codecs=\"avc1\"", "video/mp4; codecs=\"avc1\"")]
    public async Task An_unusual_media_type_is_accepted(string sent, string expected)
    {
        Serve(sent);

        using var response = await SendAsync(HttpMethod.Get);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(expected, response.Header("Content-Type").TrimEnd(';', ' '));
    }

    [Theory]
    [InlineData("video", "0000001866747970717420200000000071742020", "video/quicktime")]
    [InlineData("video", "000000186674797069736F6D00000200", "video/mp4")]
    [InlineData("video", "1A45DFA39F4286810142F7810142F2810442F381084282847765626D", "video/webm")]
    [InlineData("video", "000002006D6F6F76", "video/quicktime")]
    [InlineData("video", "FFD8FFE000104A464946", null)]
    [InlineData("video", "0000001C6674797061766966", null)]
    [InlineData("video", "00000018667479", null)]
    [InlineData("video", "3C21444F43545950452068746D6C3E", null)]
    [InlineData("video", "7B226572726F72223A", null)]
    [InlineData("video", "", null)]
    [InlineData("image", "FFD8FFE000104A464946", "image/jpeg")]
    [InlineData("image", "89504E470D0A1A0A0000000D", "image/png")]
    [InlineData("image", "474946383961", "image/gif")]
    [InlineData("image", "524946460000000057454250", "image/webp")]
    [InlineData("image", "524946460000000041564920", null)]
    [InlineData("image", "0000001C6674797061766966", "image/avif")]
    [InlineData("image", "762F310102000000", "image/x-exr")]
    [InlineData("image", "000000186674797069736F6D00000200", null)]
    [InlineData("image", "3C7376672F3E", null)]
    [InlineData(null, "762F310102000000", "image/x-exr")]
    [InlineData(null, "504B0304", "application/octet-stream")]
    public void The_first_bytes_show_the_type(string? kind, string hex, string? expected) =>
        Assert.Equal(expected, AssetMediaType.OfFirstBytes(kind, Convert.FromHexString(hex)));

    private void Serve(string? type, byte[]? file = null, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _cdn.Then(async context =>
            {
                var body = file ?? Mp4;
                if (context.Request.GetTypedHeaders().Range?.Ranges.Single() is { From: { } from } range)
                {
                    var to = Math.Min(range.To ?? (body.Length - 1), body.Length - 1);
                    context.Response.StatusCode = 206;
                    context.Response.Headers.ContentRange = $"bytes {from}-{to}/{body.Length}";
                    body = body[(int)from..((int)to + 1)];
                }

                if (type is not null)
                {
                    context.Response.Headers.ContentType = type;
                }

                context.Response.ContentLength = body.Length;
                if (context.Request.Method == "GET")
                {
                    await context.Response.Body.WriteAsync(body, TestContext.Current.CancellationToken);
                }
            });
        }
    }

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string? range = null)
    {
        var request = new HttpRequestMessage(method, "/generations/g1/video");
        if (range is not null)
        {
            request.Headers.TryAddWithoutValidation("Range", range);
        }

        return _caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
