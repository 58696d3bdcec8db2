using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Upstreams;

/// <summary>Retries, pauses by <c>Retry-After</c> and the deadline of an upstream request.</summary>
[Collection(RunsAlone.Name)]
public sealed class RetryAndDeadlineTests : IDisposable
{
    private const string Secret = "SECRET-OF-THE-UPSTREAM";

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData(400, 502, "upstream_rejected", 1)]
    [InlineData(401, 502, "upstream_token_refused", 1)]
    [InlineData(402, 502, "upstream_out_of_credit", 1)]
    [InlineData(403, 502, "upstream_token_refused", 1)]
    [InlineData(302, 502, "upstream_rejected", 1)]
    [InlineData(422, 502, "upstream_rejected", 1)]
    [InlineData(429, 503, "upstream_throttled", 3)]
    [InlineData(500, 502, "upstream_failed", 3)]
    [InlineData(503, 502, "upstream_failed", 3)]
    public async Task An_upstream_status_becomes_its_problem_response(int upstream, int status, string code, int requests)
    {
        _gateway.Upstream.AlwaysJson($$"""{"detail":"{{Secret}}"}""", (HttpStatusCode)upstream);
        using var caller = _gateway.CreateCaller();

        using var response = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        var problem = await response.ProblemAsync(status, code);
        Assert.DoesNotContain(Secret, problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, LogText(), StringComparison.Ordinal);
        Assert.Equal(requests, _gateway.Upstream.RequestCount);
        Assert.Equal(status == 503 ? "1" : "", response.Header("Retry-After"));
        Assert.Equal(upstream is 401 or 402 or 403 ? "false" : "", response.Header("x-should-retry"));
    }

    [Fact]
    public async Task Reads_that_succeed_at_the_same_time_share_their_timers()
    {
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.CompletedAs(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/first");
        var started = _gateway.Clock.Started;

        for (var i = 0; i < 10; i++)
        {
            using var response = await caller.SendGetAsync(string.Create(CultureInfo.InvariantCulture, $"/generations/other-{i}"));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(11, _gateway.Upstream.RequestCount);
        Assert.Equal(started, _gateway.Clock.Started);
    }

    [Fact]
    public async Task A_broken_connection_is_retried()
    {
        _gateway.Upstream.ThenThrow(new HttpRequestException($"refused {Secret}")).ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, _gateway.Upstream.RequestCount);
        Assert.DoesNotContain(Secret, LogText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_upstream_is_a_502()
    {
        _gateway.Upstream.Always((_, _) => Task.FromException<HttpResponseMessage>(new HttpRequestException("refused")));
        using var caller = _gateway.CreateCaller();

        using var response = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        await response.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal(3, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task Retry_After_within_the_deadline_delays_the_retry()
    {
        _gateway.Upstream.Then((_, _) => Task.FromResult(Throttled(TimeSpan.FromSeconds(4)))).ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();
        var start = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.InRange(_gateway.Clock.GetUtcNow() - start, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(6));
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_date_in_Retry_After_is_compared_with_the_date_of_the_response(int hoursOff)
    {
        _gateway.With("Luma:Retries", "0");
        _gateway.Upstream.Always((_, _) =>
        {
            var now = _gateway.Clock.GetUtcNow().AddHours(hoursOff);
            var response = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            response.Headers.Date = now;
            response.Headers.RetryAfter = new RetryConditionHeaderValue(now.AddSeconds(40));
            return Task.FromResult(response);
        });
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");

        await response.ProblemAsync(503, "upstream_throttled");
        Assert.Equal("40", response.Header("Retry-After"));
    }

    [Fact]
    public async Task An_upstream_without_a_response_is_a_504_at_the_deadline()
    {
        _gateway.Upstream.Always(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _gateway.Clock, token);
            throw new InvalidOperationException("unreachable");
        });
        using var caller = _gateway.CreateCaller();
        var start = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        await response.ProblemAsync(504, "upstream_timed_out");
        Assert.InRange(_gateway.Clock.GetUtcNow() - start, TimeSpan.FromSeconds(14), TimeSpan.FromSeconds(16));
    }

    [Fact]
    public async Task A_slow_body_is_a_504_at_the_deadline()
    {
        _gateway.Upstream.Always((_, _) => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new SlowBody(_gateway.Clock)) }));
        using var caller = _gateway.CreateCaller();
        var start = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        await response.ProblemAsync(504, "upstream_timed_out");
        Assert.InRange(_gateway.Clock.GetUtcNow() - start, TimeSpan.FromSeconds(14), TimeSpan.FromSeconds(16));
    }

    private string LogText() => string.Join('\n', _gateway.Logs.GetSnapshot().Select(record => $"{record.Message} {record.Exception}"));

    private static HttpResponseMessage Throttled(TimeSpan wait)
    {
        var response = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
        response.Headers.RetryAfter = new RetryConditionHeaderValue(wait);
        return response;
    }

    /// <summary>An endless body of one byte a second.</summary>
    private sealed class SlowBody(TimeProvider clock) : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            buffer.Span[0] = (byte)' ';
            return 1;
        }
    }
}
