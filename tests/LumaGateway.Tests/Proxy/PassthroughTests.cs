using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Proxy;

/// <summary>Requests under <c>/luma</c> and their effect on the cache, with a scripted upstream.</summary>
public sealed class PassthroughTests : IDisposable
{
    private const string Path = $"/luma/generations/{Samples.CompletedId}";

    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task A_response_is_forwarded_unchanged_with_the_headers_of_the_allow_list()
    {
        var json = "\uFEFF{ \"id\" :\t\"g1\", \"n\": 1.0e0 }\r\n";
        _raw.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json(json);
            response.Headers.TryAddWithoutValidation("Set-Cookie", "a=b");
            response.Headers.TryAddWithoutValidation("Server", "luma-internal-7");
            response.Headers.TryAddWithoutValidation("X-Internal-Node", "10.0.0.7");
            response.Headers.TryAddWithoutValidation("ETag", "\"v1\"");
            response.Headers.TryAddWithoutValidation("retry-after-ms", "250");
            response.Headers.TryAddWithoutValidation("Vary", "Accept-Encoding,  Origin");
            response.Headers.TryAddWithoutValidation("Cache-Control", "max-age=0,no-store");
            return Task.FromResult(response);
        });
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        Assert.Equal(Encoding.UTF8.GetBytes(json), await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("\"v1\"", response.Header("ETag"));
        Assert.Equal("250", response.Header("retry-after-ms"));
        Assert.Equal("application/json; charset=utf-8", response.Header("Content-Type"));
        Assert.Equal("Accept-Encoding,  Origin", response.Headers.NonValidated["Vary"].ToString()); // unparsed
        Assert.Equal("max-age=0,no-store", response.Headers.NonValidated["Cache-Control"].ToString());
        Assert.Equal(("", "", ""), (response.Header("Set-Cookie"), response.Header("Server"), response.Header("X-Internal-Node")));
    }

    [Theory]
    [InlineData(HttpStatusCode.Gone)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.BadGateway)]
    public async Task An_error_without_a_body_is_forwarded_unchanged(HttpStatusCode status)
    {
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(status) { Content = new StreamContent(new UnknownLength()) }));
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        Assert.Equal((status, ""), (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task The_Vary_of_the_upstream_is_sent_beside_that_of_CORS()
    {
        _raw.Gateway.With("Cors:AllowedOrigins:0", "https://app.example");
        _raw.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json("{}");
            response.Headers.TryAddWithoutValidation("Vary", "Accept-Encoding");
            return Task.FromResult(response);
        });
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        Assert.Equal(["Accept-Encoding", "Origin"], response.Headers.Vary);
    }

    [Fact]
    public async Task A_read_whose_caller_disconnects_is_logged_with_status_499()
    {
        _raw.Gateway.With("Logging:AccessLog", "Errors");
        _raw.Upstream.Always((_, deadline) => new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(deadline));
        using var caller = _raw.CreateCaller();
        using var disconnected = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var request = caller.GetAsync(Path, disconnected.Token);
        await _raw.Upstream.WaitForRequestsAsync(1);
        await disconnected.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        await Poll.UntilAsync(() => Statuses().Any());
        Assert.Equal("499", Assert.Single(Statuses()));

        IEnumerable<string?> Statuses() => _raw.Gateway.Logs.GetSnapshot().Where(record => record.Id.Id == 1031).Select(record => record.StructuredState!.ToDictionary()["Status"]);
    }

    [Fact]
    public async Task An_error_without_a_body_is_replayed_unchanged()
    {
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.UnprocessableEntity) { Content = new StreamContent(new UnknownLength()) }));
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync();
        using var second = await CreateAsync();

        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.All([first, second], response => Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode));

        async Task<HttpResponseMessage> CreateAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations")
            {
                Headers = { { "Idempotency-Key", "k1" } },
                Content = new StringContent("{}", Encoding.UTF8, "application/json"),
            };
            return await caller.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Without its condition, a request would be another one: a range of a changed file, or an unconditional delete.</summary>
    [Theory]
    [InlineData("If-Match", "\"v1\"")]
    [InlineData("If-None-Match", "\"v1\"")]
    [InlineData("If-Modified-Since", "Wed, 08 Apr 2026 00:00:00 GMT")]
    [InlineData("If-Unmodified-Since", "Wed, 08 Apr 2026 00:00:00 GMT")]
    [InlineData("If-Range", "\"v1\"")]
    public async Task Every_condition_of_a_request_is_forwarded(string name, string value)
    {
        _raw.Upstream.ThenJson("{}");
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Get, Path);
        request.Headers.TryAddWithoutValidation(name, value);

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(value, Assert.Single(_raw.Upstream.Received).Headers[name]);
    }

    [Fact]
    public async Task A_throttled_create_does_not_delay_reads()
    {
        _raw.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromMinutes(1));
            return Task.FromResult(response);
        }).ThenJson(Samples.Failed("g1"));
        using var caller = _raw.CreateCaller();

        using var create = await caller.PostAsync("/luma/generations/video", new StringContent("{}", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        using var read = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.TooManyRequests, create.StatusCode);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_request_is_forwarded_with_the_gateways_token_and_without_the_callers_own_headers()
    {
        _raw.Upstream.ThenJson("{}", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        foreach (var (name, value) in new[]
        {
            ("Cookie", "s=1"), ("X-Forwarded-For", "10.0.0.1"), ("Forwarded", "for=x"), ("baggage", "a=b"), ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("X-Request-Id", "mine"), ("x-stainless-os", "Linux"), ("Idempotency-Key", "k1"), ("Connection", "X-Smuggled"), ("X-Smuggled", "1"),
        })
        {
            caller.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        }

        using var response = await caller.PostAsync("/luma/generations/video", new StringContent("""{"prompt":"ü"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

        var received = Assert.Single(_raw.Upstream.Received);
        Assert.Equal(["accept-encoding", "authorization", "x-request-id"], received.Headers.Keys.Select(name => name.ToLowerInvariant()).Order());
        Assert.Equal(("Bearer upstream-token", "mine"), (received.Headers["Authorization"], received.Headers["X-Request-Id"]));
        Assert.Equal("""{"prompt":"ü"}""", Assert.Single(_raw.Bodies));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(422)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task An_error_of_the_upstream_is_forwarded_unchanged(int status)
    {
        _raw.Upstream.ThenJson("""{"detail":"upstream error"}""", (HttpStatusCode)status);
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("""{"detail":"upstream error"}""", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("", response.Header("x-should-retry"));
    }

    [Theory]
    [InlineData(401, "upstream_token_refused")]
    [InlineData(403, "upstream_token_refused")]
    [InlineData(402, "upstream_out_of_credit")]
    public async Task A_rejection_of_the_gateways_account_is_a_502_problem_and_an_error_in_the_log(int status, string code)
    {
        _raw.Upstream.ThenJson("""{"detail":"token luma-xxxx is bad"}""", (HttpStatusCode)status);
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        var problem = await response.ProblemAsync(502, code);
        Assert.DoesNotContain("luma-xxxx", problem.ToString(), StringComparison.Ordinal);
        Assert.Equal("false", response.Header("x-should-retry"));
        Assert.Contains(_raw.Gateway.Logs.GetSnapshot(), record => record is { Level: Microsoft.Extensions.Logging.LogLevel.Error, Id.Id: 3021 });
    }

    [Fact]
    public async Task A_connection_failure_is_a_502_problem()
    {
        _raw.Upstream.ThenThrow(new HttpRequestException(HttpRequestError.ConnectionError));
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        await response.ProblemAsync(502, "upstream_unreachable");
    }

    [Fact]
    public async Task A_read_with_a_failing_fetch_returns_the_entry_that_a_forwarded_response_cached_meanwhile()
    {
        var slow = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => slow.Task).ThenJson(Samples.Completed);
        using var caller = _raw.CreateCaller();
        var reading = caller.SendGetAsync($"/generations/{Samples.CompletedId}");
        await _raw.Upstream.WaitForRequestsAsync(1);

        using var raw = await caller.SendGetAsync(Path);
        await Poll.UntilAsync(() => _raw.Gateway.Services.IsCached(Samples.CompletedId));
        slow.SetResult(ScriptedUpstream.Json("<html>"));
        using var read = await reading;

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_forwarded_final_response_is_cached()
    {
        _raw.Upstream.ThenJson(Samples.Completed);
        using var caller = _raw.CreateCaller();

        using var raw = await caller.SendGetAsync(Path);
        var forwarded = await raw.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        await Poll.UntilAsync(() => _raw.Gateway.Services.IsCached(Samples.CompletedId));
        using var slim = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        Assert.Equal(Samples.Completed, forwarded);
        Assert.Equal("LumaGateway; hit; ttl=86400", slim.Header("Cache-Status"));
        Assert.Equal(1, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_response_is_forwarded_compressed_and_cached(string encoding)
    {
        var bytes = Compressed(Samples.Completed, encoding);
        _raw.Upstream.Then((_, _) =>
        {
            var response = new HttpResponseMessage { Content = new ByteArrayContent(bytes) };
            response.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            response.Content.Headers.ContentEncoding.Add(encoding);
            return Task.FromResult(response);
        });
        using var caller = _raw.CreateCaller();

        using var raw = await caller.SendGetAsync(Path);

        Assert.Equal(bytes, await raw.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(encoding, raw.Header("Content-Encoding"));
        await Poll.UntilAsync(() => _raw.Gateway.Services.IsCached(Samples.CompletedId));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_response_that_is_damaged_is_forwarded_and_not_cached(string encoding)
    {
        byte[] bytes = [.. Enumerable.Repeat((byte)0xFF, 64)];
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage { Content = new ByteArrayContent(bytes) { Headers = { { "Content-Encoding", encoding } } } }));
        using var caller = _raw.CreateCaller();

        using var raw = await caller.SendGetAsync(Path);

        Assert.Equal(bytes, await raw.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.False(_raw.Gateway.Services.IsCached(Samples.CompletedId));
    }

    [Fact]
    public async Task An_interim_or_invalid_response_is_not_cached()
    {
        _raw.Upstream.ThenJson(Samples.Interim("g1")).ThenJson(Samples.Failed("other")).ThenJson("<html>").ThenJson(Samples.Failed("g1"));
        using var caller = _raw.CreateCaller();
        for (var i = 0; i < 3; i++)
        {
            using var raw = await caller.SendGetAsync("/luma/generations/g1");
            Assert.Equal(HttpStatusCode.OK, raw.StatusCode);
        }

        using var slim = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("LumaGateway; fwd=miss; stored", slim.Header("Cache-Status"));
    }

    [Fact]
    public async Task A_response_to_a_request_from_before_a_purge_is_not_cached()
    {
        var late = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => late.Task).ThenJson("", HttpStatusCode.NoContent).ThenJson("{}", HttpStatusCode.NotFound);
        using var caller = _raw.CreateCaller();
        var raw = caller.SendGetAsync(Path);
        await _raw.Upstream.WaitForRequestsAsync(1);

        using var deleted = await caller.DeleteAsync(Path, TestContext.Current.CancellationToken);
        late.SetResult(ScriptedUpstream.Json(Samples.Completed));
        using var forwarded = await raw;
        using var slim = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.OK, forwarded.StatusCode);
        await slim.ProblemAsync(404, "generation_not_found");
    }

    [Theory]
    [InlineData(204, true)]
    [InlineData(404, true)]
    [InlineData(500, true)]
    [InlineData(429, false)]
    [InlineData(401, false, 502)]
    [InlineData(402, false, 502)]
    [InlineData(403, false, 502)]
    public async Task A_delete_purges_the_generation_before_its_response_unless_the_upstream_rejects_it(int status, bool isPurged, int? forwarded = null)
    {
        _raw.Upstream.ThenJson(Samples.Completed).ThenJson("{}", (HttpStatusCode)status).AlwaysJson("{}", HttpStatusCode.NotFound);
        using var caller = _raw.CreateCaller();
        using var before = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        using var deleted = await caller.DeleteAsync(Path, TestContext.Current.CancellationToken);
        using var after = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        Assert.Equal(forwarded ?? status, (int)deleted.StatusCode);
        Assert.Equal(isPurged ? HttpStatusCode.NotFound : HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task A_delete_that_is_not_sent_purges_nothing()
    {
        _raw.Gateway.With("Limits:Upstream:Concurrency", "1").With("Limits:Upstream:Queue", "0");
        _raw.Upstream.ThenJson(Samples.Completed);
        using var caller = _raw.CreateCaller();
        using var before = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");
        using var lease = await _raw.Gateway.Services.GetRequiredService<UpstreamAccounts>().First.Limiter.AcquireAsync(TestContext.Current.CancellationToken);

        using var deleted = await caller.DeleteAsync(Path, TestContext.Current.CancellationToken);
        using var after = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        await deleted.ProblemAsync(503, "gateway_saturated");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task A_delete_whose_response_is_lost_purges_the_generation_and_reports_it()
    {
        _raw.Upstream.ThenJson(Samples.Completed).ThenThrow(new HttpRequestException(HttpRequestError.ResponseEnded)).AlwaysJson("{}", HttpStatusCode.NotFound);
        using var caller = _raw.CreateCaller();
        using var before = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        using var deleted = await caller.DeleteAsync(Path, TestContext.Current.CancellationToken);
        using var after = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        await deleted.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("LumaGateway; fwd=method; detail=purged", deleted.Header("Cache-Status"));
        Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
    }

    private static byte[] Compressed(string text, string encoding)
    {
        using var bytes = new MemoryStream();
        using (Stream encoder = encoding switch
        {
            "gzip" => new GZipStream(bytes, CompressionLevel.Fastest),
            "br" => new BrotliStream(bytes, CompressionLevel.Fastest),
            _ => new ZLibStream(bytes, CompressionLevel.Fastest),
        })
        {
            encoder.Write(Encoding.UTF8.GetBytes(text));
        }

        return bytes.ToArray();
    }

    /// <summary>An empty stream without a known length: the response has no <c>Content-Length</c>.</summary>
    private sealed class UnknownLength : MemoryStream
    {
        public override bool CanSeek => false;
    }
}
