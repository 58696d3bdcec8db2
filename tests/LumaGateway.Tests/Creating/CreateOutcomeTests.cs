using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Creating;

/// <summary>The outcome of a create: refusals, lost responses, and repetitions with an <c>Idempotency-Key</c>. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class CreateOutcomeTests : IDisposable
{
    private const string Body = """{"prompt":"cat dance"}""";
    private const string Created = """{"id":"g1","state":"pending"}""";

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_repetition_gets_the_recorded_response_with_its_address()
    {
        _gateway.Upstream.ThenJson(Created);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, second.StatusCode));
        Assert.Equal(("/generations/g1", "true"), (second.Header("Location"), second.Header("Idempotency-Replayed")));
        Assert.Equal(await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), await second.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_response_that_cannot_be_read_gives_its_connection_back()
    {
        var body = new DisposalContent(new string('x', 2_000_000));
        _gateway.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = body }));

        using var response = await CreateAsync("k1");

        await response.ProblemAsync(502, "create_outcome_unknown");
        Assert.True(body.IsDisposed);
    }

    [Fact]
    public async Task A_repetition_can_wait_for_the_generation()
    {
        _gateway.Upstream.ThenJson(Created).AlwaysJson(Samples.CompletedAs("g1"));
        using var first = await CreateAsync("k1");

        using var second = await _gateway.Clock.UntilAsync(CreateAsync("k1", Body, ("Prefer", "wait=20")));

        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.Equal("completed", (await second.JsonAsync()).GetProperty("state").GetString());
        Assert.Single(_gateway.Upstream.Received, request => request.Method == HttpMethod.Post);
    }

    [Fact]
    public async Task A_key_with_another_body_is_refused_and_the_same_key_under_luma_is_another_create()
    {
        using var raw = new LumaGateway.Tests.Proxy.RawGateway();
        raw.Upstream.AlwaysJson(Created);
        using var caller = raw.CreateCaller();
        using var slim = await CreateTests.SendCreateAsync(raw.Gateway, Body, ("Idempotency-Key", "k1"));
        using var other = await CreateTests.SendCreateAsync(raw.Gateway, """{"prompt":"dog"}""", ("Idempotency-Key", "k1"));

        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent(Body) };
        request.Headers.Add("Idempotency-Key", "k1");
        using var passed = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        await other.ProblemAsync(422, "idempotency_key_reused");
        Assert.Equal("", passed.Header("Idempotency-Replayed"));
        Assert.Equal(2, raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("/generations")]
    [InlineData("/luma/generations")]
    public async Task Creates_without_a_key_can_be_refused_on_both_doors(string path)
    {
        using var caller = _gateway.With("Passthrough:RequireIdempotencyKey", "true").CreateCaller();

        using var response = await caller.PostAsync(new Uri(path, UriKind.Relative), new StringContent(Body), TestContext.Current.CancellationToken);

        await response.ProblemAsync(428, "idempotency_key_required");
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("{}", 201)]
    [InlineData("not json", 200)]
    [InlineData("""{"code":"success","data":null}""", 200)]
    [InlineData("""{"error":"overloaded"}""", 500)]
    [InlineData("", 408)]
    public async Task A_create_without_a_readable_outcome_is_a_502_and_is_never_sent_again(string body, int status)
    {
        _gateway.Upstream.ThenJson(body, (HttpStatusCode)status);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        await first.ProblemAsync(502, "create_outcome_unknown");
        Assert.Equal("false", first.Header("x-should-retry"));
        await second.ProblemAsync(409, "outcome_unknown");
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_is_lost_after_the_body_is_an_unknown_outcome(bool hasKey)
    {
        _gateway.Upstream.ThenThrow(new HttpRequestException("reset by upstream.test"));

        using var response = hasKey ? await CreateAsync("k1") : await CreateTests.SendCreateAsync(_gateway, Body);

        var problem = await response.ProblemAsync(502, "create_outcome_unknown");
        Assert.DoesNotContain("upstream.test", problem.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_create_that_takes_too_long_is_an_unknown_outcome(bool hasKey)
    {
        _gateway.Upstream.Then(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return null!;
        });

        var sending = hasKey ? CreateAsync("k1") : CreateTests.SendCreateAsync(_gateway, Body);
        await _gateway.Upstream.WaitForRequestsAsync(1);
        _gateway.Clock.Advance(TimeSpan.FromMinutes(3));

        using var response = await sending;
        await response.ProblemAsync(502, "create_outcome_unknown");
    }

    [Fact]
    public async Task A_create_that_was_not_sent_can_be_repeated_with_its_key()
    {
        using var gateway = new Gateway().WithUpstream("http://127.0.0.1:1/luma"); // a port that refuses connections

        using var first = await CreateTests.SendCreateAsync(gateway, Body, ("Idempotency-Key", "k1"));
        using var second = await CreateTests.SendCreateAsync(gateway, Body, ("Idempotency-Key", "k1"));

        await first.ProblemAsync(502, "upstream_unreachable");
        await second.ProblemAsync(502, "upstream_unreachable");
    }

    [Theory]
    [InlineData("relay", 400, """{"error":{"message":"model_name is not valid","type":"invalid_request_error","param":"model_name"}}""", "model", "model_name is not valid")]
    [InlineData("dream-machine", 422, """{"detail":[{"type":"literal_error","loc":["body","keyframes","frame1","url"],"msg":"Input should be a URL"}]}""", "end_image", "Input should be a URL")]
    [InlineData("dream-machine", 422, """{"detail":[{"loc":["body","concepts",0,"key"],"msg":"unknown"}]}""", "concepts.0.key", "unknown")]
    [InlineData("agents", 422, """{"detail":"video.loop is not possible"}""", "request", "[removed] is not possible")]
    [InlineData("new-api", 400, """{"code":"invalid_request","message":"duration is too long"}""", "request", "duration is too long")]
    [InlineData("piapi", 400, """{"code":400,"message":"failed","data":{"error":{"code":10000,"message":"bad prompt"}}}""", "request", "bad prompt")]
    public async Task A_refusal_is_a_422_with_the_field_that_the_upstream_names(string dialect, int status, string body, string field, string reason)
    {
        _gateway.With("Luma:Dialect", dialect).Upstream.ThenJson(body, (HttpStatusCode)status);

        using var response = await CreateTests.SendCreateAsync(_gateway, """{"prompt":"cat dance","options":{"new-api":{"model":"m"}}}""");

        var errors = CreateTests.ErrorsOf(await response.ProblemAsync(422, "create_rejected"));
        Assert.Equal(field, Assert.Single(errors).Field);
        Assert.Equal([reason], errors[0].Reasons);
    }

    [Fact]
    public async Task The_reasons_have_no_address_no_secret_and_a_limited_length()
    {
        var text = $"See https://upstream.test/docs?key=1, {Gateway.Token}, node-7.internal.example:8080, 10.1.2.3, sk-abcdefghijklmnop1234567890, ops@example.com.\r\n{new string('x', 5000)}";
        _gateway.Upstream.ThenJson(JsonSerializer.Serialize(new { detail = text }), HttpStatusCode.BadRequest);

        using var response = await CreateTests.SendCreateAsync(_gateway, Body);

        var problem = await response.ProblemAsync(422, "create_rejected");
        var reason = Assert.Single(Assert.Single(CreateTests.ErrorsOf(problem)).Reasons);
        Assert.InRange(reason.Length, 10, 301);
        Assert.All(
            new[] { "upstream.test", Gateway.Token, "internal.example", "10.1.2.3", "sk-abcdef", "ops@", "example.com", "\n" },
            secret => Assert.DoesNotContain(secret, reason, StringComparison.Ordinal));
        Assert.StartsWith("See [removed]", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, """{"detail":"Prompt moderation failed"}""", 422, "moderated")]
    [InlineData(422, """{"error":{"code":"content_policy_violation","message":"no"}}""", 422, "moderated")]
    [InlineData(403, """{"failure_code":"content_moderated","detail":"no"}""", 422, "moderated")]
    [InlineData(402, """{"detail":"Insufficient balance. Please add funds to continue."}""", 502, "upstream_out_of_credit")]
    [InlineData(403, """{"error":{"code":"insufficient_user_quota","message":"no quota"}}""", 502, "upstream_out_of_credit")]
    [InlineData(401, """{"detail":"Invalid token"}""", 502, "upstream_token_refused")]
    [InlineData(403, """{"detail":"Forbidden"}""", 502, "upstream_token_refused")]
    [InlineData(404, """{"detail":"Not Found"}""", 502, "upstream_rejected")]
    [InlineData(429, """{"detail":"Too many concurrent jobs"}""", 503, "upstream_throttled")]
    public async Task A_refusal_has_a_code_for_programs_and_can_be_repeated_unless_it_is_about_the_request(int status, string body, int expected, string code)
    {
        _gateway.Upstream.AlwaysJson(body, (HttpStatusCode)status);

        using var first = await CreateAsync("k1");
        using var second = await CreateAsync("k1");

        await first.ProblemAsync(expected, code);
        Assert.Equal(expected is 422 && status is 400 or 422 ? 1 : 2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_throttled_create_has_the_upstreams_Retry_After()
    {
        _gateway.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            response.Headers.TryAddWithoutValidation("Retry-After", "7");
            return Task.FromResult(response);
        });

        using var response = await CreateTests.SendCreateAsync(_gateway, Body);

        await response.ProblemAsync(503, "upstream_throttled");
        Assert.Equal("7", response.Header("Retry-After"));
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task A_date_in_Retry_After_is_compared_with_the_date_of_the_response(HttpStatusCode status)
    {
        _gateway.Upstream.Then((_, _) =>
        {
            var now = _gateway.Clock.GetUtcNow().AddHours(3);
            var response = ScriptedUpstream.Json("{}", status);
            response.Headers.Date = now;
            response.Headers.RetryAfter = new RetryConditionHeaderValue(now.AddSeconds(40));
            return Task.FromResult(response);
        });

        using var response = await CreateTests.SendCreateAsync(_gateway, Body);

        await response.ProblemAsync(503, "upstream_throttled");
        Assert.Equal("40", response.Header("Retry-After"));
    }

    private Task<HttpResponseMessage> CreateAsync(string key, string body = Body, params (string Name, string Value)[] headers) =>
        CreateTests.SendCreateAsync(_gateway, body, [.. headers, ("Idempotency-Key", key)]);

    private sealed class DisposalContent(string text) : StringContent(text)
    {
        public bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
