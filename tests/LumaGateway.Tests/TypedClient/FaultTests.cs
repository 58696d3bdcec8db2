extern alias client;

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using client::LumaGateway.Client;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using GenerationState = client::LumaGateway.Contracts.GenerationState;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The .NET client over faults between it and the gateway: scripted responses, fake clock.</summary>
[Collection(RunsAlone.Name)]
public sealed class FaultTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly ScriptedUpstream _gateway = new();
    private readonly TestClock _clock = new(new DateTimeOffset(2026, 4, 8, 12, 0, 0, TimeSpan.Zero));
    private readonly TestedClient _tested;

    public FaultTests() => _tested = new TestedClient(_gateway, _clock);

    public void Dispose()
    {
        _tested.Dispose();
        _gateway.Dispose();
    }

    [Fact]
    public async Task A_wait_resumes_over_502_503_504_a_lost_connection_and_a_gateway_without_a_response()
    {
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(502, "upstream_unreachable")))
            .Then((_, _) => Task.FromResult(ProblemOf(503, "gateway_saturated", retryAfter: 7)))
            .ThenJson("<html>", HttpStatusCode.GatewayTimeout)
            .ThenThrow(new HttpRequestException("connection refused"))
            .Then(NeverAsync)
            .ThenJson(GenerationOf("processing"))
            .ThenJson(GenerationOf("completed"));

        var generation = await _clock.UntilAsync(_tested.Client.WaitAsync("g1", TimeSpan.FromMinutes(10), Cancelled));

        Assert.Equal(GenerationState.Completed, generation.State);
        Assert.Equal(7, _gateway.RequestCount);
        Assert.All(_gateway.Received, request => Assert.StartsWith("wait=", request.Headers["Prefer"], StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_next_attempt_waits_as_long_as_retry_after_says()
    {
        var sentAt = new List<DateTimeOffset>();
        _gateway.Always((_, _) =>
        {
            sentAt.Add(_clock.GetUtcNow());
            return Task.FromResult(sentAt.Count == 1 ? ProblemOf(429, "rate_limited", retryAfter: 17) : ScriptedUpstream.Json(GenerationOf("completed")));
        });

        await _clock.UntilAsync(_tested.Client.GetAsync("g1", Cancelled));

        Assert.Equal(TimeSpan.FromSeconds(17), sentAt[1] - sentAt[0]);
    }

    [Fact]
    public async Task A_gateway_that_does_not_apply_the_wait_is_asked_again_after_its_retry_after()
    {
        _gateway.Then((_, _) => Task.FromResult(WithRetryAfter(ScriptedUpstream.Json(GenerationOf("queued")), 4))).ThenJson(GenerationOf("completed"));
        var startedAt = _clock.GetUtcNow();

        await _clock.UntilAsync(_tested.Client.WaitAsync("g1", TimeSpan.FromMinutes(1), Cancelled));

        Assert.Equal(TimeSpan.FromSeconds(4), _clock.GetUtcNow() - startedAt);
    }

    [Fact]
    public async Task A_gateway_that_ends_its_waits_early_is_asked_again_after_its_retry_after()
    {
        _gateway.Then((_, _) => Task.FromResult(WithRetryAfter(WaitedFor("processing"), 3))).Then((_, _) => Task.FromResult(WaitedFor("processing"))).ThenJson(GenerationOf("completed"));
        var startedAt = _clock.GetUtcNow();

        await _clock.UntilAsync(_tested.Client.WaitAsync("g1", TimeSpan.FromMinutes(1), Cancelled));

        Assert.Equal(TimeSpan.FromSeconds(4), _clock.GetUtcNow() - startedAt); // 3 s as asked, and 1 s by default

        static HttpResponseMessage WaitedFor(string state)
        {
            var response = ScriptedUpstream.Json(GenerationOf(state));
            response.Headers.Add("Preference-Applied", "wait=50");
            return response;
        }
    }

    [Fact]
    public async Task A_retry_after_of_zero_does_not_make_a_tight_loop()
    {
        _gateway.Always((_, _) => Task.FromResult(ProblemOf(_gateway.RequestCount < 200 ? 503 : 404, "gateway_saturated", retryAfter: 0)));

        await Assert.ThrowsAsync<LumaGatewayException>(() => _clock.UntilAsync(_tested.Client.GetAsync("g1", Cancelled)));

        Assert.InRange(_gateway.RequestCount, 2, 121); // within RetryFor
    }

    [Fact]
    public async Task A_fault_that_holds_at_the_end_of_a_wait_is_thrown()
    {
        _gateway.Always((_, _) => Task.FromResult(ProblemOf(502, "upstream_failed")));
        var startedAt = _clock.GetUtcNow();

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _clock.UntilAsync(_tested.Client.WaitAsync("g1", TimeSpan.FromSeconds(40), Cancelled)));

        Assert.Equal(("upstream_failed", "r1", true), (fault.Code, fault.RequestId, fault.IsTransient));
        Assert.InRange(_clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(40));
    }

    [Fact]
    public async Task A_fault_that_forbids_a_retry_is_thrown_at_once()
    {
        _gateway.Always((_, _) =>
        {
            var response = ProblemOf(502, "upstream_out_of_credit");
            response.Headers.Add("x-should-retry", "false");
            return Task.FromResult(response);
        });

        await Assert.ThrowsAsync<LumaGatewayException>(() => _clock.UntilAsync(_tested.Client.WaitAsync("g1", TimeSpan.FromMinutes(1), Cancelled)));

        Assert.Equal(1, _gateway.RequestCount);
    }

    [Fact]
    public async Task The_page_of_a_proxy_and_a_body_of_another_shape_are_unexpected_responses()
    {
        _gateway.ThenJson("<html>", HttpStatusCode.Forbidden).ThenJson("[1]").ThenJson("{}");

        for (var i = 0; i < 3; i++)
        {
            var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _tested.Client.GetAsync("g1", Cancelled));
            Assert.Equal(LumaGatewayException.Unexpected, fault.Code);
        }
    }

    [Theory]
    [InlineData("""{"generations":[{"id":"g1","state":"queued"},{"id":"g2","problem":{"code":"generation_not_found"}}]}""")]
    [InlineData("""{"generations":[{"id":"g1","generation":{"id":"g1","state":"queued"},"problem":null},{"id":"g2","generation":null,"problem":{"code":"generation_not_found"}}]}""")]
    public async Task A_batch_is_read_in_both_shapes(string body)
    {
        _gateway.AlwaysJson(body);

        var results = await _tested.Client.GetManyAsync(["g1", "g2"], Cancelled);

        Assert.Equal([("g1", GenerationState.Queued, null), ("g2", null, "generation_not_found")], results.Select(one => (one.Id, one.Generation?.State, one.Problem?.Code)));
    }

    [Fact]
    public async Task A_generation_without_outputs_has_an_empty_list()
    {
        _gateway.AlwaysJson(GenerationOf("completed"));

        var generation = await _tested.Client.GetAsync("g1", Cancelled);

        Assert.Empty(generation.Outputs);
        Assert.False(generation.HasAsset);
    }

    [Fact]
    public async Task A_download_without_a_byte_for_too_long_fails()
    {
        _gateway.Then((_, _) => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new Body("half", isCut: false, isSilent: true)) }));
        using var asset = await _tested.Client.OpenAssetAsync("g1", AssetKind.Video, null, Cancelled);
        using var read = new MemoryStream();

        await Assert.ThrowsAsync<IOException>(() => _clock.UntilAsync(CopyAsync()));

        Assert.Equal("half", Encoding.UTF8.GetString(read.ToArray()));

        async Task<bool> CopyAsync()
        {
            await asset.Content.CopyToAsync(read, Cancelled);
            return true;
        }
    }

    [Theory]
    [InlineData(200, """{"status":"healthy"}""", HealthStatus.Healthy)]
    [InlineData(200, """{"status":"degraded"}""", HealthStatus.Degraded)]
    [InlineData(503, """{"status":"unhealthy"}""", HealthStatus.Unhealthy)]
    [InlineData(200, "<html>", HealthStatus.Unhealthy)]
    public async Task The_health_check_shows_the_state_of_the_gateway(int status, string body, HealthStatus expected)
    {
        _gateway.AlwaysJson(body, (HttpStatusCode)status);

        var report = await _tested.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancelled);

        Assert.Equal(expected, report.Status);
        Assert.Equal((1, "/health/ready"), (_gateway.RequestCount, _gateway.Received.First().Address.AbsolutePath));
    }

    [Fact]
    public async Task A_cancelled_call_is_cancelled_and_not_a_fault()
    {
        using var cancellation = new CancellationTokenSource();
        _gateway.Then(NeverAsync);

        var call = _tested.Client.GetAsync("g1", cancellation.Token);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task A_create_keeps_its_idempotency_key_over_retries_and_the_next_create_has_another()
    {
        var (keys, bodies) = (new List<string>(), new List<string>());
        _gateway.Always(async (request, token) =>
        {
            keys.Add(request.Headers.GetValues("Idempotency-Key").Single());
            bodies.Add(await request.Content!.ReadAsStringAsync(token));
            Assert.Equal((HttpMethod.Post, "/generations"), (request.Method, request.RequestUri!.AbsolutePath));
            return keys.Count switch
            {
                1 => throw new HttpRequestException("connection lost"),
                2 => ProblemOf(409, "create_in_progress", retryAfter: 1),
                _ => ScriptedUpstream.Json(GenerationOf("queued"), HttpStatusCode.Created),
            };
        });
        var request = new CreateGenerationRequest { Prompt = "cat dance", AspectRatio = "16:9", Options = new JsonObject { ["dream-machine"] = new JsonObject { ["x"] = 1 } } };

        var created = await _clock.UntilAsync(_tested.Client.CreateAsync(request, Cancelled));
        await _clock.UntilAsync(_tested.Client.CreateAsync(request, Cancelled));

        Assert.Equal("g1", created.Id);
        Assert.Equal([keys[0], keys[0], keys[0]], keys.Take(3));
        Assert.NotEqual(keys[0], keys[3]);
        Assert.All(bodies, body => Assert.Equal("""{"prompt":"cat dance","aspect_ratio":"16:9","options":{"dream-machine":{"x":1}}}""", body));
    }

    [Fact]
    public async Task A_create_with_an_unknown_outcome_is_not_repeated()
    {
        _gateway.Always((_, _) => Task.FromResult(ProblemOf(409, "outcome_unknown")));

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _tested.Client.CreateAsync(new CreateGenerationRequest { Prompt = "cat" }, Cancelled));

        Assert.Equal(("outcome_unknown", 1), (fault.Code, _gateway.RequestCount));
    }

    [Fact]
    public async Task A_delete_is_sent_and_retried()
    {
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(503, "gateway_saturated", retryAfter: 1)))
            .Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent)));

        await _clock.UntilAsync(DeleteAsync());

        Assert.All(_gateway.Received, request => Assert.Equal((HttpMethod.Delete, "/generations/g1"), (request.Method, request.Address.AbsolutePath)));
        Assert.Equal(2, _gateway.RequestCount);

        async Task<bool> DeleteAsync()
        {
            await _tested.Client.DeleteAsync("g1", Cancelled);
            return true;
        }
    }

    [Fact]
    public async Task A_stream_resumes_with_the_last_event_id_after_a_loss_a_refusal_and_silence()
    {
        _gateway.ThenThrow(new HttpRequestException("connection refused"))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("queued"), isCut: true)))
            .Then((_, _) => Task.FromResult(ProblemOf(503, "gateway_saturated", retryAfter: 2)))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("processing"), isSilent: true)))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("completed"))));

        var states = await _clock.UntilAsync(FollowAsync());

        Assert.Equal([GenerationState.Queued, GenerationState.Processing, GenerationState.Completed], states);
        Assert.Equal(["", "", "q", "q", "p"], _gateway.Received.Select(request => request.Headers.GetValueOrDefault("Last-Event-ID", "")));
    }

    [Fact]
    public async Task A_stream_reconnects_after_the_time_that_the_gateway_asks_for_and_ends_with_204()
    {
        _gateway.Then((_, _) => Task.FromResult(StreamOf($"{EventOf("processing")}retry: 2500\n\n")))
            .Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent)));
        var startedAt = _clock.GetUtcNow();

        var states = await _clock.UntilAsync(FollowAsync());

        Assert.Equal([GenerationState.Processing], states);
        Assert.Equal(TimeSpan.FromSeconds(2.5), _clock.GetUtcNow() - startedAt);
    }

    [Fact]
    public async Task A_stream_of_an_unknown_generation_is_a_problem()
    {
        _gateway.Always((_, _) => Task.FromResult(ProblemOf(404, "generation_not_found")));

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _clock.UntilAsync(FollowAsync()));

        Assert.Equal("generation_not_found", fault.Code);
    }

    [Fact]
    public async Task A_call_is_one_span_with_an_event_for_each_failed_attempt()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == LumaGatewayClient.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(503, "gateway_saturated", retryAfter: 1))).ThenJson(GenerationOf("completed")).ThenJson("{}", HttpStatusCode.NotFound);

        await _clock.UntilAsync(_tested.Client.GetAsync("traced", Cancelled));
        await Assert.ThrowsAsync<LumaGatewayException>(() => _tested.Client.GetAsync("traced", Cancelled));

        var own = spans.Where(span => span.GetTagItem("luma_gateway.generation.id") is "traced").ToList();
        Assert.Equal(["luma_gateway get", "luma_gateway get"], own.Select(span => span.OperationName));
        Assert.Equal("gateway_saturated", own[0].Events.Single().Tags.Single(tag => tag.Key is "error.type").Value);
        Assert.Equal((ActivityStatusCode.Unset, ActivityStatusCode.Error), (own[0].Status, own[1].Status));
    }

    [Theory]
    [InlineData("/relative", "key", "BaseAddress")]
    [InlineData("ftp://gateway.test", "key", "BaseAddress")]
    [InlineData("http://gateway.test", "two words", "Key")]
    public void Invalid_options_prevent_the_start_and_name_the_option(string address, string key, string named)
    {
        using var tested = new TestedClient(_gateway, _clock, options => (options.BaseAddress, options.Key) = (new Uri(address, UriKind.RelativeOrAbsolute), key));

        var failure = Assert.Throws<OptionsValidationException>(tested.Services.GetRequiredService<IStartupValidator>().Validate);

        Assert.Contains($"LumaGatewayClientOptions.{named}", Assert.Single(failure.Failures), StringComparison.Ordinal);
        Assert.DoesNotContain("two words", failure.Message, StringComparison.Ordinal);
    }

    private static string GenerationOf(string state) => $$"""{"id":"g1","state":"{{state}}"}""";

    private static string EventOf(string state) => $":\n\nevent: generation\nid: {state[0]}\ndata: {GenerationOf(state)}\n\n";

    private static HttpResponseMessage WithRetryAfter(HttpResponseMessage response, int seconds)
    {
        response.Headers.RetryAfter = new(TimeSpan.FromSeconds(seconds));
        return response;
    }

    private static HttpResponseMessage ProblemOf(int status, string code, int? retryAfter = null)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StringContent($$"""{"type":"t","title":"t","status":{{status}},"code":"{{code}}","request_id":"r1"}""", Encoding.UTF8, "application/problem+json"),
        };
        return retryAfter is { } seconds ? WithRetryAfter(response, seconds) : response;
    }

    private static HttpResponseMessage StreamOf(string events, bool isCut = false, bool isSilent = false)
    {
        var content = new StreamContent(new Body(events, isCut, isSilent));
        content.Headers.ContentType = new("text/event-stream");
        return new HttpResponseMessage { Content = content };
    }

    private static async Task<HttpResponseMessage> NeverAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new UnreachableException();
    }

    private async Task<List<GenerationState>> FollowAsync()
    {
        var states = new List<GenerationState>();
        await foreach (var generation in _tested.Client.FollowAsync("g1", Cancelled))
        {
            states.Add(generation.State);
        }

        return states;
    }

    /// <summary>A body that ends, breaks off or sends nothing more after its text.</summary>
    private sealed class Body(string text, bool isCut, bool isSilent) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            if (read == 0 && isSilent)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            return read > 0 || !isCut ? read : throw new IOException("connection reset");
        }
    }
}
