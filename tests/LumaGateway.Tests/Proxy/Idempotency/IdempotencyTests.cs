using System.Net;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy.Idempotency;

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
    public async Task The_same_key_and_body_get_the_first_answer_again(int status)
    {
        _raw.Upstream.ThenJson(Created, (HttpStatusCode)status);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        foreach (var answer in new[] { first, second })
        {
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
            Assert.Equal(Created, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal(("", "true"), (first.Header("Idempotency-Replayed"), second.Header("Idempotency-Replayed")));
        Assert.Equal(1, _raw.Upstream.Asked);
        Assert.Equal("""{"prompt":"cat"}""", Assert.Single(_raw.Bodies));
    }

    [Theory]
    [InlineData("k1", "/luma/generations/video", """{"prompt":"dog"}""", false)]
    [InlineData("k1", "/luma/generations/video?x=1", """{"prompt":"cat"}""", false)]
    [InlineData("k2", "/luma/generations/video", """{"prompt":"cat"}""", true)]
    [InlineData("k1", "/luma/generations/image", """{"prompt":"cat"}""", true)]
    public async Task Another_body_under_the_same_key_is_refused_and_another_key_or_path_is_another_create(string key, string path, string body, bool passes)
    {
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var first = await CreateAsync("k1");

        using var second = await CreateAsync(key, path, body);

        if (passes)
        {
            Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        }
        else
        {
            await second.ProblemAsync(422, "idempotency_key_reused");
        }

        Assert.Equal(passes ? 2 : 1, _raw.Upstream.Asked);
    }

    [Fact]
    public async Task Another_client_with_the_same_key_creates_its_own()
    {
        _raw.Dispose();
        using var raw = new RawGateway();
        raw.Gateway.With("Access:Clients:1:Name", "others").With("Access:Clients:1:KeySha256", Gateway.Digest("others-key"))
            .With("Access:Clients:1:Rights:0", "raw").With("Access:Clients:1:Rights:1", "create");
        raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var caller = raw.CreateCaller();
        using var other = raw.Gateway.CreateStranger();
        other.DefaultRequestHeaders.Add("X-Api-Key", "others-key");

        using var first = await CreateAsync(caller, "k1", token: TestContext.Current.CancellationToken);
        using var second = await CreateAsync(other, "k1", token: TestContext.Current.CancellationToken);

        Assert.Equal(2, raw.Upstream.Asked);
        Assert.Equal("", second.Header("Idempotency-Replayed"));
    }

    [Fact]
    public async Task A_key_whose_create_is_running_is_409_and_the_create_outlives_its_caller()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, token) => answer.Task.WaitAsync(token));
        using var leaving = new CancellationTokenSource();
        var first = CreateAsync(_caller, "k1", token: leaving.Token);
        await Pump.EventuallyAsync(() => _raw.Upstream.Asked == 1);

        using var second = await CreateAsync("k1");
        await leaving.CancelAsync();
        answer.SetResult(ScriptedUpstream.Json(Created, HttpStatusCode.Created));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        await second.ProblemAsync(409, "create_in_progress");
        Assert.Equal("2", second.Header("Retry-After"));
        Assert.Equal("", second.Header("x-should-retry"));
        await Pump.EventuallyAsync(async () =>
        {
            using var third = await CreateAsync("k1");
            return third.StatusCode is HttpStatusCode.Created;
        });
        Assert.Equal(1, _raw.Upstream.Asked);
    }

    [Fact]
    public async Task Fifty_callers_with_one_key_make_one_create()
    {
        _raw.Upstream.ThenJson(Created, HttpStatusCode.Created);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => CreateAsync("k1")));

        Assert.Equal(1, _raw.Upstream.Asked);
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(404)]
    [InlineData(413)]
    [InlineData(429)]
    public async Task A_definite_refusal_frees_the_key(int status)
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
    public async Task A_connection_that_never_came_about_frees_the_key_and_may_be_tried_again(HttpRequestError error)
    {
        _raw.Upstream.ThenThrow(new HttpRequestException(error)).ThenJson(Created, HttpStatusCode.Created);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        await first.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("", first.Header("x-should-retry"));
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
    }

    [Fact]
    public async Task A_create_whose_connection_broke_is_unknown_for_a_day_and_never_repeated()
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
        Assert.Equal(1, _raw.Upstream.Asked);

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
    public async Task An_upstreams_failure_passes_and_is_unknown_unless_the_upstream_says_that_nothing_was_done(int status, string? retryAfter, string? shouldRetry, bool free)
    {
        _raw.Upstream.Then((_, _) =>
        {
            var answer = ScriptedUpstream.Json("""{"detail":"broke"}""", (HttpStatusCode)status);
            answer.Headers.TryAddWithoutValidation("Retry-After", retryAfter is null ? [] : [retryAfter]);
            answer.Headers.TryAddWithoutValidation("x-should-retry", shouldRetry is null ? [] : [shouldRetry]);
            return Task.FromResult(answer);
        }).ThenJson(Created, HttpStatusCode.Created);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        Assert.Equal(status, (int)first.StatusCode);
        Assert.Equal("""{"detail":"broke"}""", await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(free ? shouldRetry ?? "" : "false", first.Header("x-should-retry"));
        if (free)
        {
            Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        }
        else
        {
            await second.ProblemAsync(409, "outcome_unknown");
        }
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_unknown_and_nothing_of_it_is_told()
    {
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = new StreamContent(new BreakingStream()) }));

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        await first.ProblemAsync(502, "upstream_unreachable");
        await second.ProblemAsync(409, "outcome_unknown");
        Assert.Equal("false", first.Header("x-should-retry"));
    }

    [Fact]
    public async Task A_create_that_takes_longer_than_its_time_is_504_and_unknown()
    {
        _raw.Upstream.Then(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            throw new InvalidOperationException();
        });
        var first = CreateAsync("k1");
        await Pump.EventuallyAsync(() => _raw.Upstream.Asked == 1);
        _raw.Gateway.Clock.Advance(TimeSpan.FromMinutes(3));

        using var answer = await first;
        using var second = await CreateAsync("k1");

        await answer.ProblemAsync(504, "upstream_timed_out");
        await second.ProblemAsync(409, "outcome_unknown");
        Assert.Equal("false", answer.Header("x-should-retry"));
    }

    [Fact]
    public async Task Without_a_key_a_create_passes_each_time_and_one_that_broke_says_not_to_repeat_it()
    {
        _raw.Upstream.ThenJson(Created, HttpStatusCode.Created).ThenThrow(new HttpRequestException(HttpRequestError.ResponseEnded));

        using var first = await CreateAsync(null);
        using var second = await CreateAsync(null);

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        await second.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("false", second.Header("x-should-retry"));
        Assert.Equal(2, _raw.Upstream.Asked);
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("ümlaut")]
    public async Task A_key_that_is_none_is_refused(string key)
    {
        using var response = await CreateAsync(key);

        await response.ProblemAsync(400, "invalid_request");
        Assert.Equal(0, _raw.Upstream.Asked);
    }

    [Fact]
    public async Task A_body_over_one_mebibyte_is_refused_with_a_key_and_passes_without()
    {
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        var large = new string('x', (1024 * 1024) + 1);

        using var keyed = await CreateAsync("k1", body: large);
        using var plain = await CreateAsync(null, body: large);
        using var exact = await CreateAsync("k1", body: large[1..]);

        await keyed.ProblemAsync(413, "request_too_large");
        Assert.Equal(HttpStatusCode.Created, plain.StatusCode);
        Assert.Equal(HttpStatusCode.Created, exact.StatusCode);
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

    /// <summary>A few bytes, then the connection breaks.</summary>
    private sealed class BreakingStream : MemoryStream
    {
        private bool _begun;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_begun)
            {
                throw new HttpIOException(HttpRequestError.ResponseEnded);
            }

            _begun = true;
            buffer.Span[0] = (byte)'{';
            return new(1);
        }
    }
}
