using System.Net;
using System.Net.Http.Headers;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Assets;

/// <summary>Asset downloads from a CDN on loopback.</summary>
public sealed class AssetTests : IAsyncLifetime
{
    private Cdn _cdn = null!;
    private Gateway _gateway = null!;
    private HttpClient _caller = null!;

    public async ValueTask InitializeAsync()
    {
        _cdn = await Cdn.StartAsync();
        _gateway = AssetGateway.For(_cdn);
    }

    public async ValueTask DisposeAsync()
    {
        _caller?.Dispose();
        await _gateway.DisposeAsync();
        await _cdn.DisposeAsync();
    }

    [Fact]
    public async Task A_file_is_sent_with_its_headers_and_no_header_of_the_caller_reaches_the_cdn()
    {
        using var response = await SendGetAsync(request => request.Headers.Add("Cookie", "s=1"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Cdn.File, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("video/mp4", response.Header("Content-Type"));
        Assert.Equal("100000", response.Header("Content-Length"));
        Assert.Equal("\"file\"", response.Header("ETag"));
        Assert.Equal("Wed, 08 Apr 2026 00:00:00 GMT", response.Header("Last-Modified"));
        Assert.Equal("bytes", response.Header("Accept-Ranges"));
        Assert.Equal("private", response.Header("Cache-Control"));
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
        Assert.Equal("attachment; filename=\"g1.mp4\"", response.Header("Content-Disposition"));
        var request = Assert.Single(_cdn.Requests);
        Assert.Equal(["Host", "User-Agent"], request.Headers.Keys.Order());
        Assert.Equal($"cdn.test:{_cdn.Port}", request.Host);
    }

    [Theory]
    [InlineData("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")]
    [InlineData("Upgrade: websocket\r\n")]
    [InlineData("Upgrade: SPDY/3.1\r\n")]
    public async Task An_upgrade_is_ignored_and_not_forwarded(string headers)
    {
        _gateway.Upstream.AlwaysJson(AssetGateway.Completed(_cdn.Link()));
        using var connection = await RawConnection.OpenAsync(ListeningGateway.Start(_gateway).Main);

        await connection.SendAsync($"HEAD /generations/g1/video HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\nConnection: Upgrade, close\r\n{headers}\r\n");
        var response = await connection.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 200", response, StringComparison.Ordinal);
        Assert.Equal(["Host", "User-Agent"], Assert.Single(_cdn.Requests).Headers.Keys.Order());
    }

    [Fact]
    public async Task A_download_whose_caller_disconnects_is_logged_with_status_499()
    {
        _gateway.With("Logging:AccessLog", "Errors").Upstream.AlwaysJson(AssetGateway.Completed(_cdn.Link()));
        _cdn.Then(context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        _caller = _gateway.CreateCaller();
        using var disconnected = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var request = _caller.GetAsync("/generations/g1/video", disconnected.Token);
        await Poll.UntilAsync(() => _cdn.Requests.Count == 1);
        await disconnected.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        await Poll.UntilAsync(() => Statuses().Any());
        Assert.Equal("499", Assert.Single(Statuses()));

        IEnumerable<string?> Statuses() => _gateway.Logs.GetSnapshot().Where(record => record.Id.Id == 1031).Select(record => record.StructuredState!.ToDictionary()["Status"]);
    }

    [Fact]
    public async Task The_Vary_of_the_cdn_is_sent()
    {
        _cdn.Then(async context =>
        {
            context.Response.ContentType = "video/mp4";
            context.Response.Headers.Vary = "Accept";
            await context.Response.WriteAsync("file", context.RequestAborted);
        });

        using var response = await SendGetAsync();

        Assert.Equal("Accept", response.Header("Vary"));
    }

    [Theory]
    [InlineData("bytes=0-9", 206, "bytes 0-9/100000", 10)]
    [InlineData("bytes=99990-", 206, "bytes 99990-99999/100000", 10)]
    [InlineData("bytes=-5", 206, "bytes 99995-99999/100000", 5)]
    [InlineData("bytes=0-1,5-6", 200, "", 100000)]
    public async Task A_range_is_forwarded(string range, int status, string contentRange, int length)
    {
        using var response = await SendGetAsync(request => request.Headers.TryAddWithoutValidation("Range", range));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(contentRange, response.Header("Content-Range"));
        Assert.Equal(length, (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length);
    }

    [Fact]
    public async Task An_unsatisfiable_range_is_a_416_with_the_length_of_the_file()
    {
        using var response = await SendGetAsync(request => request.Headers.TryAddWithoutValidation("Range", "bytes=200000-"));

        await response.ProblemAsync(416, "range_not_satisfiable");
        Assert.Equal("bytes */100000", response.Header("Content-Range"));
    }

    [Theory]
    [InlineData("If-None-Match", "\"file\"", 304)]
    [InlineData("If-None-Match", "\"other\"", 200)]
    [InlineData("If-Modified-Since", "Wed, 08 Apr 2026 00:00:00 GMT", 304)]
    [InlineData("If-Match", "\"other\"", 412)]
    [InlineData("If-Range", "\"file\"", 206)]
    [InlineData("If-Range", "\"other\"", 200)]
    public async Task Conditions_are_forwarded(string name, string value, int status)
    {
        using var response = await SendGetAsync(request =>
        {
            request.Headers.TryAddWithoutValidation(name, value);
            if (name == "If-Range")
            {
                request.Headers.Range = new RangeHeaderValue(0, 9);
            }
        });

        Assert.Equal(status, (int)response.StatusCode);
        if (status == 412)
        {
            await response.ProblemAsync(412, "precondition_failed");
        }
        else
        {
            Assert.Equal("\"file\"", response.Header("ETag"));
        }
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    public async Task Head_returns_the_headers_of_get_even_if_the_link_is_signed_for_get_only(int statusOfHead)
    {
        if (statusOfHead != 200)
        {
            _cdn.ThenStatus(statusOfHead);
        }

        using var response = await SendGetAsync(request => request.Method = HttpMethod.Head);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(("100000", "\"file\""), (response.Header("Content-Length"), response.Header("ETag")));
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    /// <summary>A server ignores Range of other methods than GET (RFC 9110, section 14.2).</summary>
    [Theory]
    [InlineData(200)]
    [InlineData(403)]
    public async Task A_range_of_a_head_request_is_ignored(int statusOfHead)
    {
        if (statusOfHead != 200)
        {
            _cdn.ThenStatus(statusOfHead);
        }

        using var response = await SendGetAsync(request =>
        {
            request.Method = HttpMethod.Head;
            request.Headers.Range = new RangeHeaderValue(0, 1);
            request.Headers.TryAddWithoutValidation("If-Range", "\"file\"");
        });

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("100000", response.Header("Content-Length"));
    }

    [Fact]
    public async Task The_body_of_a_get_request_is_not_sent_to_the_cdn()
    {
        _cdn.ThenRedirect(_cdn.Link("/moved.mp4"));

        using var response = await SendGetAsync(request => request.Content = new ByteArrayContent([1, 2]));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, _cdn.Requests.Count);
        Assert.All(_cdn.Requests, request => Assert.DoesNotContain(request.Headers.Keys, name => name is "Content-Length" or "Transfer-Encoding"));
    }

    [Theory]
    [InlineData("<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>", 200, 2)]
    [InlineData("<Error><Code>InvalidArgument</Code></Error>", 502, 1)]
    [InlineData("", 502, 1)]
    public async Task A_400_renews_the_link_only_if_its_body_reports_an_expired_token(string body, int status, int reads)
    {
        _cdn.Then(async context =>
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync(body);
        });

        using var response = await SendGetAsync();

        Assert.Equal((status, reads), ((int)response.StatusCode, _gateway.Upstream.RequestCount));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    public async Task A_link_that_the_cdn_rejects_is_renewed_without_the_cache_before_the_response_starts(int status)
    {
        _gateway.Upstream.ThenJson(AssetGateway.Completed(_cdn.Link("/file.mp4?sig=1"))).ThenJson(AssetGateway.Completed(_cdn.Link("/file.mp4?sig=2")));
        _caller = _gateway.CreateCaller();
        using var warm = await _caller.SendGetAsync("/generations/g1");
        _cdn.ThenStatus(status);

        using var response = await _caller.SendGetAsync("/generations/g1/video");
        using var next = await _caller.SendGetAsync("/generations/g1/video");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (response.StatusCode, next.StatusCode));
        Assert.Equal(["/file.mp4?sig=1", "/file.mp4?sig=2", "/file.mp4?sig=2"], _cdn.Requests.Select(request => request.Path));
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_renewed_link_that_is_rejected_too_is_a_502()
    {
        _cdn.ThenStatus(403, times: 2);

        using var response = await SendGetAsync();

        await response.ProblemAsync(502, "asset_unavailable");
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_generation_that_was_deleted_before_its_link_is_renewed_is_a_404()
    {
        _gateway.Upstream.ThenJson(AssetGateway.Completed(_cdn.Link())).AlwaysJson("{}", HttpStatusCode.NotFound);
        _cdn.ThenStatus(403);
        _caller = _gateway.CreateCaller();

        using var response = await _caller.SendGetAsync("/generations/g1/video");

        await response.ProblemAsync(404, "generation_not_found");
    }

    [Fact]
    public async Task A_renewed_generation_without_the_link_is_a_404()
    {
        _gateway.Upstream.ThenJson(AssetGateway.Completed(_cdn.Link())).ThenJson("""{"id":"g1","state":"failed"}""");
        _cdn.ThenStatus(404);
        _caller = _gateway.CreateCaller();

        using var response = await _caller.SendGetAsync("/generations/g1/video");

        await response.ProblemAsync(404, "asset_not_found");
    }

    [Fact]
    public async Task An_interim_generation_is_a_409_with_Retry_After()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1"));
        _caller = _gateway.CreateCaller();

        using var response = await _caller.SendGetAsync("/generations/g1/video");

        await response.ProblemAsync(409, "generation_unfinished");
        Assert.InRange(int.Parse(response.Header("Retry-After"), null), 1, 3);
    }

    [Theory]
    [InlineData("video", """{"id":"g1","state":"failed"}""")]
    [InlineData("video", """{"id":"g1","state":"completed"}""")]
    [InlineData("image", """{"id":"g1","state":"completed","video":{"url":"https://storage.cdn-luma.com/v.mp4"}}""")]
    [InlineData("thumbnail", """{"id":"g1","state":"completed","video":{"url":"https://storage.cdn-luma.com/v.mp4"}}""")]
    [InlineData("last_frame", """{"id":"g1","state":"completed","video":{"url":"https://storage.cdn-luma.com/v.mp4"}}""")]
    public async Task A_final_generation_without_the_asset_is_a_404(string asset, string json)
    {
        _gateway.Upstream.ThenJson(json);
        _caller = _gateway.CreateCaller();

        using var response = await _caller.SendGetAsync($"/generations/g1/{asset}");

        await response.ProblemAsync(404, "asset_not_found");
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/octet-stream")]
    [InlineData("binary/octet-stream")]
    [InlineData("application/json")]
    [InlineData("application/xml")]
    [InlineData("video/")]
    [InlineData("video/mp4, text/html")]
    [InlineData("multipart/byteranges; boundary=x")]
    [InlineData("")]
    [InlineData("videos/mp4")]
    public async Task A_media_type_other_than_video_or_image_is_a_502(string type)
    {
        _cdn.Then(async context =>
        {
            context.Response.ContentType = type;
            await context.Response.WriteAsync("<script>", TestContext.Current.CancellationToken);
        });

        using var response = await SendGetAsync();

        await response.ProblemAsync(502, "asset_not_media");
    }

    [Fact]
    public async Task An_error_of_the_cdn_is_a_502()
    {
        _cdn.ThenStatus(500);

        using var response = await SendGetAsync();

        await response.ProblemAsync(502, "asset_unavailable");
    }

    [Fact]
    public async Task Three_redirects_to_allowed_hosts_are_followed_and_a_fourth_is_not()
    {
        _cdn.ThenRedirect("/a", 301).ThenRedirect(_cdn.Link("/b", "mirror.test"), 307).ThenRedirect("c", 308);
        using var three = await SendGetAsync();
        _cdn.ThenRedirect("/a").ThenRedirect("/b").ThenRedirect("/c").ThenRedirect("/d");
        using var four = await _caller.SendGetAsync("/generations/g1/video");

        Assert.Equal(HttpStatusCode.OK, three.StatusCode);
        Assert.Equal($"mirror.test:{_cdn.Port}", _cdn.Requests[3].Host);
        await four.ProblemAsync(502, "asset_address_refused");
        Assert.Equal(8, _cdn.Requests.Count);
    }

    [Fact]
    public async Task Redirect_mode_redirects_to_the_upstreams_link()
    {
        _gateway.With("Assets:Mode", "Redirect");

        using var response = await SendGetAsync();

        Assert.Equal(HttpStatusCode.TemporaryRedirect, response.StatusCode);
        Assert.Equal((_cdn.Link(), "no-store"), (response.Header("Location"), response.Header("Cache-Control")));
        Assert.Empty(_cdn.Requests);
    }

    [Fact]
    public async Task Redirect_mode_does_not_redirect_to_a_host_that_is_not_allowed()
    {
        _gateway.With("Assets:Mode", "Redirect");
        _gateway.Upstream.ThenJson(AssetGateway.Completed("https://evil.test/v.mp4"));
        _caller = _gateway.CreateCaller();

        using var response = await _caller.SendGetAsync("/generations/g1/video");

        await response.ProblemAsync(502, "asset_address_refused");
    }

    [Fact]
    public async Task Rewritten_links_are_addresses_of_the_gateway_that_return_the_file()
    {
        _gateway.With("Assets:RewriteUrls", "true").With("Assets:PublicUrl", "https://luma.internal/gw/");
        var expiry = _gateway.Clock.GetUtcNow() + TimeSpan.FromHours(1);
        _gateway.Upstream.ThenJson(AssetGateway.Completed(_cdn.Link($"/file.mp4?Expires={expiry.ToUnixTimeSeconds()}")));
        _caller = _gateway.CreateCaller();
        _caller.DefaultRequestHeaders.Host = "evil.test";

        using var slim = await _caller.SendGetAsync("/generations/g1");
        using var video = await _caller.SendGetAsync("/generations/g1/video");

        var generation = await slim.JsonAsync();
        Assert.Equal("https://luma.internal/gw/generations/g1/video", generation.GetProperty("video").GetProperty("url").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, generation.GetProperty("expires_at").ValueKind);
        Assert.Equal("private, max-age=3000", slim.Header("Cache-Control"));
        Assert.Equal(Cdn.File, await video.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task An_asset_requires_its_permission()
    {
        for (var i = 0; i < 6; i++)
        {
            _gateway.With($"Access:Clients:0:Rights:{i}", i == 0 ? "read" : null);
        }

        _caller = _gateway.CreateCaller();

        using var response = await _caller.SendGetAsync("/generations/g1/video");

        await response.ProblemAsync(403, "forbidden");
    }

    private Task<HttpResponseMessage> SendGetAsync(Action<HttpRequestMessage>? prepare = null)
    {
        _gateway.Upstream.AlwaysJson(AssetGateway.Completed(_cdn.Link()));
        _caller = _gateway.CreateCaller();
        var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1/video");
        prepare?.Invoke(request);
        return _caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
