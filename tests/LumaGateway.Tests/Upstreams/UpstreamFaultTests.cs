using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Upstreams;

public sealed class UpstreamFaultTests : IDisposable
{
    private const string Secret = "SECRET-OF-THE-UPSTREAM";

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    public static TheoryData<string, string> BrokenBodies => new()
    {
        { "html", $"<html><body>{Secret}</body></html>" },
        { "empty", "" },
        { "truncated", "{\"id\":\"g1\",\"state\":\"comple" },
        { "null", "null" },
        { "a number", "42" },
        { "a string", $"\"{Secret}\"" },
        { "an empty array", "[]" },
        { "an error with 200", $$$"""{"error":{"message":"{{{Secret}}}","type":"x","code":"y"}}""" },
        { "another id", """{"id":"g2","state":"completed"}""" },
        { "5,000 levels", string.Concat(Enumerable.Repeat("[", 5000)) + string.Concat(Enumerable.Repeat("]", 5000)) },
        { "32 MiB", "{\"id\":\"g1\",\"padding\":\"" + new string('x', 32 * 1024 * 1024) + "\"}" },
    };

    [Theory]
    [MemberData(nameof(BrokenBodies), DisableDiscoveryEnumeration = true)]
    public async Task A_malformed_response_is_a_502_that_is_not_cached_and_contains_nothing_of_it(string kind, string body)
    {
        _gateway.Upstream.ThenJson(body).ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");
        using var next = await caller.SendGetAsync("/generations/g1");

        await response.ProblemAsync(502, "upstream_malformed");
        Assert.DoesNotContain(Secret, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, LogText(), StringComparison.Ordinal);
        Assert.True(next.IsSuccessStatusCode, kind);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_body_that_cannot_be_decompressed_is_a_502(string encoding)
    {
        _gateway.Upstream.Always((_, _) => Task.FromResult(new HttpResponseMessage
        {
            Content = new ByteArrayContent([.. Enumerable.Repeat((byte)0xFF, 64)]) { Headers = { { "Content-Encoding", encoding } } },
        }));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");

        await response.ProblemAsync(502, "upstream_malformed");
    }

    [Fact]
    public async Task A_refused_token_is_logged_as_an_error_and_counted_without_the_token()
    {
        _gateway.Upstream.ThenJson("{}", HttpStatusCode.Unauthorized);
        using var faults = _gateway.Collect<long>("luma_gateway.upstream.faults");
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");

        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Level is Microsoft.Extensions.Logging.LogLevel.Error && record.Id.Id == 3021);
        Assert.Contains(faults.GetMeasurementSnapshot(), fault => fault.ContainsTags(new KeyValuePair<string, object?>("error.type", "token_refused")));
        Assert.DoesNotContain(Gateway.Token, LogText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_second_token_is_tried_once_if_the_first_is_refused()
    {
        _gateway.With("Luma:ApiKey", "old-token,new-token");
        _gateway.Upstream.ThenJson("{}", HttpStatusCode.Unauthorized).ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["Bearer old-token", "Bearer new-token"], _gateway.Upstream.Received.Select(request => request.Headers["Authorization"]));
    }

    [Theory]
    [InlineData(20, "20")]
    [InlineData(600, "60")]
    public async Task Retry_After_beyond_the_deadline_is_a_503_at_once_and_no_request_is_sent_until_then(int seconds, string retryAfter)
    {
        _gateway.Upstream.Then((_, _) => Task.FromResult(Throttled(TimeSpan.FromSeconds(seconds)))).AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();
        var start = _gateway.Clock.GetUtcNow();

        using var first = await caller.SendGetAsync("/generations/g1");
        using var other = await caller.SendGetAsync("/generations/g2");

        await first.ProblemAsync(503, "upstream_throttled");
        await other.ProblemAsync(503, "upstream_throttled");
        Assert.Equal(retryAfter, first.Header("Retry-After"));
        Assert.Equal(start, _gateway.Clock.GetUtcNow());
        Assert.Equal(1, _gateway.Upstream.RequestCount);

        _gateway.Clock.Advance(TimeSpan.FromSeconds(Math.Min(seconds, 300)));
        using var later = await caller.SendGetAsync("/generations/g1");
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [Fact]
    public async Task A_failing_upstream_opens_the_circuit_and_is_used_again_when_it_recovers()
    {
        _gateway.With("Luma:Retries", "0");
        _gateway.Upstream.AlwaysJson("{}", HttpStatusCode.BadGateway);
        using var caller = _gateway.CreateCaller();
        for (var i = 0; i < 10; i++)
        {
            using var failing = await caller.SendGetAsync($"/generations/g{i}");
        }

        using var refused = await caller.SendGetAsync("/generations/g11");
        using var health = await caller.SendGetAsync("/health/ready");

        await refused.ProblemAsync(503, "upstream_circuit_open");
        Assert.InRange(int.Parse(refused.Header("Retry-After"), CultureInfo.InvariantCulture), 1, 5);
        Assert.Equal(10, _gateway.Upstream.RequestCount);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Equal("degraded", (await health.JsonAsync()).GetProperty("checks").GetProperty("upstream").GetString());

        _gateway.Upstream.AlwaysJson(Samples.Failed("g12"));
        _gateway.Clock.Advance(TimeSpan.FromSeconds(6));
        using var recovered = await caller.SendGetAsync("/generations/g12");
        Assert.Equal(HttpStatusCode.OK, recovered.StatusCode);
    }

    [Fact]
    public async Task A_BOM_and_a_wrong_content_type_are_ignored()
    {
        _gateway.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage
        {
            Content = new ByteArrayContent([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(Samples.Failed("g1"))])
            {
                Headers = { ContentType = new MediaTypeHeaderValue("text/html") },
            },
        }));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private string LogText() => string.Join('\n', _gateway.Logs.GetSnapshot().Select(record => $"{record.Message} {record.Exception}"));

    private static HttpResponseMessage Throttled(TimeSpan wait)
    {
        var response = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
        response.Headers.RetryAfter = new RetryConditionHeaderValue(wait);
        return response;
    }
}
