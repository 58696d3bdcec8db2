using System.Net;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.LongPolling;

/// <summary>Waiters receive the results of requests by other callers.</summary>
[Collection(RunsAlone.Name)]
public sealed class NotificationTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task A_final_generation_in_a_proxied_response_ends_waits_at_once()
    {
        _raw.Gateway.With("Waiting:PollEvery", "00:00:30").With("Waiting:PollSlowest", "00:00:30");
        _raw.Upstream.ThenJson(Samples.Interim(Samples.CompletedId)).AlwaysJson(Samples.Completed);
        using var caller = _raw.CreateCaller();
        var waiting = WaitAsync(caller, Samples.CompletedId);
        await _raw.Gateway.Clock.WaitUntilIdleAsync();

        using var proxied = await caller.SendGetAsync($"/luma/generations/{Samples.CompletedId}");
        await _raw.Gateway.Clock.WaitUntilIdleAsync();

        Assert.True(waiting.IsCompleted); // without a poll, because the clock has not advanced
        using var response = await waiting;
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_final_generation_that_a_refresh_reads_ends_waits_at_once()
    {
        _raw.Gateway.With("Waiting:PollEvery", "00:00:30").With("Waiting:PollSlowest", "00:00:30");
        _raw.Upstream.ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _raw.CreateCaller();
        var waiting = WaitAsync(caller, "g1");
        await _raw.Gateway.Clock.WaitUntilIdleAsync();
        _raw.Gateway.Clock.Advance(TimeSpan.FromSeconds(5));
        var reader = _raw.Gateway.Services.GetRequiredService<GenerationReader>();

        await reader.RefreshAsync(GenerationId.Parse("g1", null), "request", _raw.Gateway.Clock.GetUtcNow()); // as a poll for slots does
        await _raw.Gateway.Clock.WaitUntilIdleAsync();

        Assert.True(waiting.IsCompleted, "The wait needs the next poll.");
        using var response = await waiting;
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_final_generation_that_a_read_finds_after_its_caller_has_disconnected_ends_waits_at_once()
    {
        _raw.Gateway.With("Waiting:PollEvery", "00:00:30").With("Waiting:PollSlowest", "00:00:30");
        var held = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        _raw.Upstream.ThenJson(Samples.Interim("g1")).Then((_, _) => held.Task);
        using var caller = _raw.CreateCaller();
        var waiting = WaitAsync(caller, "g1");
        await _raw.Gateway.Clock.WaitUntilIdleAsync();
        _raw.Gateway.Clock.Advance(TimeSpan.FromSeconds(5));
        var reader = _raw.Gateway.Services.GetRequiredService<GenerationReader>();
        using var disconnected = new CancellationTokenSource();
        var reading = reader.ReadAsync(GenerationId.Parse("g1", null), "request", null, disconnected.Token);
        await _raw.Upstream.WaitForRequestsAsync(2);

        await disconnected.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(reading.AsTask);
        held.SetResult(ScriptedUpstream.Json(Samples.CompletedAs("g1")));
        await _raw.Gateway.Clock.WaitUntilIdleAsync();

        Assert.True(waiting.IsCompleted, "The wait needs the next poll.");
        using var response = await waiting;
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Retry_After_of_one_response_stops_all_polls()
    {
        var busy = false;
        _raw.Gateway.With("Luma:Retries", "0");
        _raw.Upstream.Always((request, _) =>
        {
            var id = request.RequestUri!.Segments[^1];
            if (!busy || id != "g3")
            {
                return Task.FromResult(ScriptedUpstream.Json(Samples.Interim(id)));
            }

            busy = false;
            var response = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            response.Headers.Add("Retry-After", "20");
            return Task.FromResult(response);
        });
        using var caller = _raw.CreateCaller();
        var waiting = Enumerable.Range(0, 4).Select(number => WaitAsync(caller, $"g{number}")).ToList();
        await _raw.Upstream.WaitForRequestsAsync(4);
        var clock = _raw.Gateway.Clock;

        busy = true;
        await clock.UntilAsync(() => !busy);
        var before = _raw.Upstream.RequestCount;
        var startedAt = clock.GetUtcNow();
        await clock.UntilAsync(() => _raw.Upstream.RequestCount > before);

        Assert.InRange(clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(18), TimeSpan.FromSeconds(22));
        await clock.UntilAsync(Task.WhenAll(waiting));
    }

    [Theory]
    [InlineData(404, "generation_not_found")]
    [InlineData(500, "upstream_failed")]
    public async Task A_problem_response_after_a_wait_has_Preference_Applied(int status, string code)
    {
        _raw.Gateway.With("Luma:Retries", "0").With("Luma:BreakerMinimumCalls", "1000");
        _raw.Upstream.AlwaysJson("{}", (HttpStatusCode)status);
        using var caller = _raw.CreateCaller();

        using var response = await _raw.Gateway.Clock.UntilAsync(WaitAsync(caller, "g1", seconds: 3));

        await response.ProblemAsync(status is 404 ? 404 : 502, code);
        Assert.Equal("wait=3", response.Header("Preference-Applied"));
    }

    [Fact]
    public async Task Rejected_waiters_are_counted()
    {
        _raw.Gateway.With("Waiting:Max", "1");
        _raw.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _raw.CreateCaller();
        using var rejections = _raw.Gateway.Collect<long>("luma_gateway.waiting.refused");
        var waiting = WaitAsync(caller, "g1", seconds: 2);
        await _raw.Upstream.WaitForRequestsAsync(1);

        using var refused = await WaitAsync(caller, "g1");
        using var stream = await caller.SendGetAsync("/generations/g1/events");

        await refused.ProblemAsync(503, "gateway_saturated");
        Assert.Equal("", refused.Header("Preference-Applied"));
        await stream.ProblemAsync(503, "gateway_saturated");
        Assert.Equal(2, rejections.GetMeasurementSnapshot().Sum(measurement => measurement.Value));
        using var completed = await _raw.Gateway.Clock.UntilAsync(waiting);
    }

    private static async Task<HttpResponseMessage> WaitAsync(HttpClient caller, string id, int seconds = 50)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}") { Headers = { { "Prefer", $"wait={seconds}" } } };
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
