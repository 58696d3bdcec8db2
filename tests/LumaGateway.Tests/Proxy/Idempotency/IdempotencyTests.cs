using System.Net;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>POST requests with an Idempotency-Key through the whole gateway, with a scripted upstream.</summary>
public sealed class IdempotencyTests : IDisposable
{
    private const string Created = """{"id":"g1","state":"queued"}""";

    private readonly RawGateway _raw = new();
    private readonly HttpClient _caller;

    public IdempotencyTests() => _caller = _raw.CreateCaller();

    public void Dispose()
    {
        _caller.Dispose();
        _raw.Dispose();
    }

    [Theory]
    [InlineData(201)]
    [InlineData(200)]
    [InlineData(400)]
    [InlineData(422)]
    public async Task The_same_key_and_body_get_the_recorded_response(int status)
    {
        _raw.Upstream.ThenJson(Created, (HttpStatusCode)status);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        foreach (var response in new[] { first, second })
        {
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal("application/json; charset=utf-8", response.Header("Content-Type"));
            Assert.Equal(Created, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal(("", "true"), (first.Header("Idempotency-Replayed"), second.Header("Idempotency-Replayed")));
        Assert.Equal(1, _raw.Upstream.RequestCount);
        Assert.Equal("""{"prompt":"cat"}""", Assert.Single(_raw.Bodies));
    }

    [Theory]
    [InlineData("k1", "/luma/generations/video", """{"prompt":"dog"}""", false)]
    [InlineData("k1", "/luma/generations/video?x=1", """{"prompt":"cat"}""", false)]
    [InlineData("k2", "/luma/generations/video", """{"prompt":"cat"}""", true)]
    [InlineData("k1", "/luma/generations/image", """{"prompt":"cat"}""", true)]
    public async Task Another_body_with_the_same_key_is_a_422_and_another_key_or_path_is_another_create(string key, string path, string body, bool isForwarded)
    {
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var first = await CreateAsync("k1");

        using var second = await CreateAsync(key, path, body);

        if (isForwarded)
        {
            Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        }
        else
        {
            await second.ProblemAsync(422, "idempotency_key_reused");
        }

        Assert.Equal(isForwarded ? 2 : 1, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task The_same_key_of_another_client_is_another_create()
    {
        _raw.Dispose();
        using var raw = new RawGateway();
        raw.Gateway.With("Access:Clients:1:Name", "others").With("Access:Clients:1:KeySha256", Gateway.Digest("others-key"))
            .With("Access:Clients:1:Rights:0", "raw").With("Access:Clients:1:Rights:1", "create");
        raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var caller = raw.CreateCaller();
        using var other = raw.Gateway.CreateCallerWithoutKey();
        other.DefaultRequestHeaders.Add("X-Api-Key", "others-key");

        using var first = await CreateAsync(caller, "k1", token: TestContext.Current.CancellationToken);
        using var second = await CreateAsync(other, "k1", token: TestContext.Current.CancellationToken);

        Assert.Equal(2, raw.Upstream.RequestCount);
        Assert.Equal("", second.Header("Idempotency-Replayed"));
    }

    [Fact]
    public async Task A_running_create_is_a_409_and_continues_if_its_caller_disconnects()
    {
        var response = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, token) => response.Task.WaitAsync(token));
        using var disconnecting = new CancellationTokenSource();
        var first = CreateAsync(_caller, "k1", token: disconnecting.Token);
        await Poll.UntilAsync(() => _raw.Upstream.RequestCount == 1);

        using var second = await CreateAsync("k1");
        await disconnecting.CancelAsync();
        response.SetResult(ScriptedUpstream.Json(Created, HttpStatusCode.Created));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        await second.ProblemAsync(409, "create_in_progress");
        Assert.Equal("2", second.Header("Retry-After"));
        Assert.Equal("", second.Header("x-should-retry"));
        await Poll.UntilAsync(async () =>
        {
            using var third = await CreateAsync("k1");
            return third.StatusCode is HttpStatusCode.Created;
        });
        Assert.Equal(1, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task Fifty_concurrent_requests_with_one_key_send_one_create()
    {
        _raw.Upstream.ThenJson(Created, HttpStatusCode.Created);

        var responses = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => CreateAsync("k1")));

        Assert.Equal(1, _raw.Upstream.RequestCount);
        Assert.All(responses, response => Assert.True(response.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(404)]
    [InlineData(413)]
    [InlineData(429)]
    public async Task A_refused_create_releases_the_key(int status)
    {
        _raw.Upstream.ThenJson("{}", (HttpStatusCode)status).ThenJson(Created, HttpStatusCode.Created);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        Assert.NotEqual(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal("", second.Header("Idempotency-Replayed"));
    }

    [Theory]
    [InlineData(HttpRequestError.ConnectionError)]
    [InlineData(HttpRequestError.NameResolutionError)]
    [InlineData(HttpRequestError.SecureConnectionError)]
    public async Task A_connection_failure_releases_the_key_and_allows_a_retry(HttpRequestError error)
    {
        _raw.Upstream.ThenThrow(new HttpRequestException(error)).ThenJson(Created, HttpStatusCode.Created);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        await first.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("", first.Header("x-should-retry"));
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
    }

    [Fact]
    public async Task A_create_with_a_broken_connection_is_unknown_for_24_hours_and_not_sent_again()
    {
        _raw.Upstream.ThenThrow(new HttpRequestException(HttpRequestError.ResponseEnded)).AlwaysJson(Created, HttpStatusCode.Created);

        using var first = await CreateAsync("k1");
        _raw.Gateway.Clock.Advance(TimeSpan.FromHours(23));
        using var second = await CreateAsync("k1");
        using var other = await CreateAsync("k1", body: """{"prompt":"dog"}""");

        await first.ProblemAsync(502, "upstream_unreachable");
        await second.ProblemAsync(409, "outcome_unknown");
        await other.ProblemAsync(422, "idempotency_key_reused");
        Assert.Equal(("false", "false"), (first.Header("x-should-retry"), second.Header("x-should-retry")));
        Assert.Equal(1, _raw.Upstream.RequestCount);

        _raw.Gateway.Clock.Advance(TimeSpan.FromHours(2));
        using var later = await CreateAsync("k1");
        Assert.Equal(HttpStatusCode.Created, later.StatusCode);
    }

    [Theory]
    [InlineData(500, null, null, false)]
    [InlineData(502, null, null, false)]
    [InlineData(504, null, null, false)]
    [InlineData(408, null, null, false)]
    [InlineData(503, null, null, false)]
    [InlineData(503, "3", null, true)]
    [InlineData(500, null, "true", true)]
    [InlineData(503, "3", "false", false)]
    public async Task An_upstream_error_is_forwarded_and_its_outcome_is_unknown_unless_a_header_asks_for_a_retry(int status, string? retryAfter, string? shouldRetry, bool isReleased)
    {
        _raw.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json("""{"detail":"broke"}""", (HttpStatusCode)status);
            response.Headers.TryAddWithoutValidation("Retry-After", retryAfter is null ? [] : [retryAfter]);
            response.Headers.TryAddWithoutValidation("x-should-retry", shouldRetry is null ? [] : [shouldRetry]);
            return Task.FromResult(response);
        }).ThenJson(Created, HttpStatusCode.Created);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        Assert.Equal(status, (int)first.StatusCode);
        Assert.Equal("""{"detail":"broke"}""", await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(isReleased ? shouldRetry ?? "" : "false", first.Header("x-should-retry"));
        if (isReleased)
        {
            Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        }
        else
        {
            await second.ProblemAsync(409, "outcome_unknown");
        }
    }

    [Fact]
    public async Task An_incomplete_response_is_unknown_and_not_sent_to_the_caller()
    {
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = new StreamContent(new BreakingStream()) }));

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        await first.ProblemAsync(502, "upstream_unreachable");
        await second.ProblemAsync(409, "outcome_unknown");
        Assert.Equal("false", first.Header("x-should-retry"));
    }

    [Fact]
    public async Task A_create_that_exceeds_its_timeout_is_a_504_and_unknown()
    {
        _raw.Upstream.Then(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            throw new InvalidOperationException();
        });
        var first = CreateAsync("k1");
        await Poll.UntilAsync(() => _raw.Upstream.RequestCount == 1);
        _raw.Gateway.Clock.Advance(TimeSpan.FromMinutes(3));

        using var response = await first;
        using var second = await CreateAsync("k1");

        await response.ProblemAsync(504, "upstream_timed_out");
        await second.ProblemAsync(409, "outcome_unknown");
        Assert.Equal("false", response.Header("x-should-retry"));
    }

    [Fact]
    public async Task Without_a_key_every_create_is_forwarded_and_a_broken_connection_forbids_a_retry()
    {
        _raw.Upstream.ThenJson(Created, HttpStatusCode.Created).ThenThrow(new HttpRequestException(HttpRequestError.ResponseEnded));

        using var first = await CreateAsync(null);
        using var second = await CreateAsync(null);

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        await second.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("false", second.Header("x-should-retry"));
        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("ümlaut")]
    public async Task An_invalid_key_is_a_400(string key)
    {
        using var response = await CreateAsync(key);

        await response.ProblemAsync(400, "invalid_request");
        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_body_with_inline_media_is_sent_once_and_recognized_by_its_hash()
    {
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        var large = $$"""{"prompt":"cat","image_ref":[{"media_type":"image/png","data":"{{new string('A', 5 * 1024 * 1024)}}"}]}""";

        using var first = await CreateAsync("k1", body: large);
        using var second = await CreateAsync("k1", body: large);
        using var other = await CreateAsync("k1", body: large.Replace("cat", "dog", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        await other.ProblemAsync(422, "idempotency_key_reused");
        Assert.Equal(large, Assert.Single(_raw.Bodies));
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), "luma-gateway-*.body"));
    }

    [Fact]
    public async Task A_body_over_the_configured_size_is_a_413_and_not_sent()
    {
        using var raw = new RawGateway();
        raw.Gateway.With("Passthrough:MaxBodyBytes", "2000000");
        raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var caller = raw.CreateCaller();

        using var keyed = await CreateAsync(caller, "k1", body: new string('x', 2_000_001), token: TestContext.Current.CancellationToken);
        using var exact = await CreateAsync(caller, "k1", body: new string('x', 2_000_000), token: TestContext.Current.CancellationToken);

        await keyed.ProblemAsync(413, "request_too_large");
        Assert.Equal(HttpStatusCode.Created, exact.StatusCode);
        Assert.Equal(1, raw.Upstream.RequestCount);
    }

    private Task<HttpResponseMessage> CreateAsync(string? key, string path = "/luma/generations/video", string body = """{"prompt":"cat"}""") =>
        CreateAsync(_caller, key, path, body, TestContext.Current.CancellationToken);

    private static async Task<HttpResponseMessage> CreateAsync(
        HttpClient caller, string? key, string path = "/luma/generations/video", string body = """{"prompt":"cat"}""", CancellationToken token = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        return await caller.SendAsync(request, token);
    }

    /// <summary>Returns one byte; the next read throws, as on a broken connection.</summary>
    private sealed class BreakingStream : MemoryStream
    {
        private bool _isFirstByteRead;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_isFirstByteRead)
            {
                throw new HttpIOException(HttpRequestError.ResponseEnded);
            }

            _isFirstByteRead = true;
            buffer.Span[0] = (byte)'{';
            return new(1);
        }
    }
}
