using System.Net;
using LumaGateway.Polling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.LongPolling;

[Collection(RunsAlone.Name)]
public sealed class LongPollTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Waiting:SlowAfter", "1.00:00:00");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_long_poll_ends_when_the_generation_is_completed()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        var startedAt = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=30"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal("wait=30", response.Header("Preference-Applied"));
        Assert.Equal(3, _gateway.Upstream.RequestCount);
        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(3.5), TimeSpan.FromSeconds(6));
    }

    [Theory]
    [InlineData("1970-01-02T00:00:00Z")]
    [InlineData("2026-04-08T04:00:00Z")]
    [InlineData("2031-01-01T00:00:00Z")]
    public async Task The_end_is_detected_within_one_interval_for_every_time_of_creation(string createdAt)
    {
        var body = $$"""{"id":"g1","state":"processing","created_at":"{{createdAt}}"}""";
        _gateway.With("Waiting:SlowAfter", "00:05:00").Upstream.ThenJson(body).ThenJson(body).ThenJson(body).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        var startedAt = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=30"));

        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(7.5));
    }

    [Fact]
    public async Task A_long_poll_ends_with_the_current_state_if_the_state_is_unknown_for_too_long()
    {
        _gateway.With("Freshness:UnknownStateTimeout", "00:00:10").Upstream.AlwaysJson("""{"id":"g1","state":"hibernating"}""");
        using var caller = _gateway.CreateCaller();
        var startedAt = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=40"));

        Assert.Equal("processing", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_long_poll_that_times_out_gets_the_current_state()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        var startedAt = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=5"));

        Assert.Equal("processing", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal("wait=5", response.Header("Preference-Applied"));
        Assert.NotEqual("", response.Header("Retry-After"));
        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6));
        Assert.InRange(_gateway.Upstream.RequestCount, 3, 4);
    }

    [Fact]
    public async Task A_wait_is_limited_to_the_configured_maximum()
    {
        _gateway.With("Waiting:Longest", "00:00:03").Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=600"));

        Assert.Equal("wait=3", response.Header("Preference-Applied"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wait=soon")]
    [InlineData("wait=0")]
    public async Task Without_a_valid_positive_wait_the_response_is_immediate(string? prefer)
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await SendGetAsync(caller, prefer);

        Assert.Equal("processing", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal(prefer is "wait=0" ? "wait=0" : "", response.Header("Preference-Applied"));
    }

    [Fact]
    public async Task A_thousand_waiters_cause_the_polls_of_one()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();

        var responses = await _gateway.Clock.UntilAsync(Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => SendGetAsync(caller, "wait=30"))));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Equal(3, _gateway.Upstream.RequestCount);
        Assert.Single(responses.Select(response => response.Header("ETag")).Distinct());
    }

    [Fact]
    public async Task A_completed_generation_gets_an_immediate_response_and_needs_no_waiter()
    {
        _gateway.With("Waiting:Max", "1").Upstream.ThenJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();

        using var first = await SendGetAsync(caller, "wait=30");
        using var second = await SendGetAsync(caller, "wait=30");

        Assert.Equal("completed", (await second.JsonAsync()).GetProperty("state").GetString());
        Assert.StartsWith("LumaGateway; hit", second.Header("Cache-Status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beyond_the_limit_of_waiters_the_response_is_503()
    {
        _gateway.With("Waiting:Max", "1").Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        var waiting = SendGetAsync(caller, "wait=5");
        await _gateway.Upstream.WaitForRequestsAsync(1);

        using var refused = await SendGetAsync(caller, "wait=5");

        await refused.ProblemAsync(503, "gateway_saturated");
        Assert.Equal("1", refused.Header("Retry-After"));
        using var completed = await _gateway.Clock.UntilAsync(waiting);
        Assert.Equal(HttpStatusCode.OK, completed.StatusCode);
        using var next = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=1"));
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task A_caller_that_disconnects_removes_its_waiter_and_ends_polling()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        using var disconnect = new CancellationTokenSource();
        var waiting = SendGetAsync(caller, "wait=50", disconnect.Token);
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.Equal((1, false), (_gateway.Upstream.RequestCount, targets.IsEmpty));

        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.Equal((true, 0), (targets.IsEmpty, targets.Count));
        await _gateway.Clock.RunAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_fault_during_a_wait_is_not_returned()
    {
        _gateway.With("Luma:Retries", "0").Upstream
            .ThenJson("{}", HttpStatusCode.InternalServerError)
            .ThenJson(Samples.Interim("g1"))
            .ThenJson("{}", HttpStatusCode.InternalServerError)
            .AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=30"));

        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_fault_at_the_end_of_a_wait_is_returned()
    {
        _gateway.With("Luma:Retries", "0").Upstream.AlwaysJson("{}", HttpStatusCode.InternalServerError);
        using var caller = _gateway.CreateCaller();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=5"));

        Assert.Contains((int)response.StatusCode, new[] { 502, 503 });
    }

    [Fact]
    public async Task An_unknown_id_gets_404_at_once()
    {
        _gateway.Upstream.ThenJson("{}", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();

        using var response = await SendGetAsync(caller, "wait=30");

        await response.ProblemAsync(404, "generation_not_found");
    }

    [Fact]
    public async Task A_new_waiter_after_one_404_of_a_known_generation_ends_no_wait()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).ThenJson("{}", HttpStatusCode.NotFound).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        var first = SendGetAsync(caller, "wait=30");
        await _gateway.Clock.UntilAsync(() => _gateway.Upstream.RequestCount == 2);

        var second = SendGetAsync(caller, "wait=30");

        using var one = await _gateway.Clock.UntilAsync(first);
        using var other = await _gateway.Clock.UntilAsync(second);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (one.StatusCode, other.StatusCode));
    }

    [Fact]
    public async Task A_plain_read_of_the_final_state_ends_long_polls()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        _gateway.With("Waiting:PollEvery", "00:00:30").With("Waiting:PollSlowest", "00:00:30");
        using var caller = _gateway.CreateCaller();
        var waiting = SendGetAsync(caller, "wait=20");
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(3));

        using var other = await SendGetAsync(caller, null);
        await _gateway.Clock.WaitUntilIdleAsync();

        Assert.True(waiting.IsCompleted); // without a poll, because the clock has not advanced
        using var response = await waiting;
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task Retry_After_delays_the_next_poll()
    {
        _gateway.With("Luma:Retries", "0").Upstream
            .ThenJson(Samples.Interim("g1"))
            .Then((_, _) =>
            {
                var busy = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
                busy.Headers.Add("Retry-After", "20");
                return Task.FromResult(busy);
            })
            .AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        var startedAt = _gateway.Clock.GetUtcNow();

        using var response = await _gateway.Clock.UntilAsync(SendGetAsync(caller, "wait=40"));

        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal(3, _gateway.Upstream.RequestCount);
        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(21), TimeSpan.FromSeconds(25));
    }

    [Fact]
    public async Task All_polls_together_stay_within_the_rate_limit()
    {
        _gateway.With("Luma:MaxPollsPerSecond", "4").Upstream.Always((request, _) =>
            Task.FromResult(ScriptedUpstream.Json(Samples.Interim(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();

        var waiting = Task.WhenAll(Enumerable.Range(0, 40).Select(i => SendGetAsync(caller, "wait=10", id: $"g{i}")));
        await _gateway.Clock.UntilAsync(waiting);

        Assert.InRange(_gateway.Upstream.RequestCount, 60, 40 + 44 + 40); // the first and last reads of each caller are not polls
    }

    [Fact]
    public async Task Waiters_polls_and_detection_lag_are_counted()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        using var waiters = _gateway.Collect<long>("luma_gateway.waiting.waiters");
        using var targets = _gateway.Collect<long>("luma_gateway.waiting.targets");
        using var polls = _gateway.Collect<long>("luma_gateway.waiting.polls");
        using var saved = _gateway.Collect<long>("luma_gateway.waiting.polls_saved");
        using var lag = _gateway.Collect<double>("luma_gateway.waiting.lag");

        var responses = await _gateway.Clock.UntilAsync(Task.WhenAll(SendGetAsync(caller, "wait=30"), SendGetAsync(caller, "wait=30")));

        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.Equal(4, waiters.GetMeasurementSnapshot().Count);
        Assert.Equal(0, waiters.GetMeasurementSnapshot().Sum(measurement => measurement.Value));
        Assert.Equal(0, targets.GetMeasurementSnapshot().Sum(measurement => measurement.Value));
        Assert.Equal(2, polls.GetMeasurementSnapshot().Where(measurement => measurement.Tags["luma_gateway.waiting.call"] is "single").Sum(measurement => measurement.Value));
        Assert.InRange(saved.GetMeasurementSnapshot().Sum(measurement => measurement.Value), 2, 4);
        Assert.InRange(Assert.Single(lag.GetMeasurementSnapshot()).Value, 1.5, 2.5);
        Assert.All(responses, response => response.Dispose());
    }

    private static async Task<HttpResponseMessage> SendGetAsync(HttpClient caller, string? prefer, CancellationToken? token = null, string id = "g1")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}");
        if (prefer is not null)
        {
            request.Headers.TryAddWithoutValidation("Prefer", prefer);
        }

        return await caller.SendAsync(request, token ?? TestContext.Current.CancellationToken);
    }
}
