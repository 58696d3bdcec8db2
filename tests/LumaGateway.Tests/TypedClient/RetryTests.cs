extern alias client;

using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using client::LumaGateway.Client;
using LumaGateway.Tests.Support;
using CreateGenerationRequest = client::LumaGateway.Contracts.CreateGenerationRequest;
using GenerationState = client::LumaGateway.Contracts.GenerationState;
using static LumaGateway.Tests.TypedClient.GatewayResponses;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The .NET client over faults between it and the gateway: waits, retries and creates. Scripted responses, fake clock.</summary>
[Collection(RunsAlone.Name)]
public sealed class RetryTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly ScriptedUpstream _gateway = new();
    private readonly TestClock _clock = new(new DateTimeOffset(2026, 4, 8, 12, 0, 0, TimeSpan.Zero));
    private readonly TestedClient _tested;

    public RetryTests() => _tested = new TestedClient(_gateway, _clock);

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
    public async Task A_create_is_retried_until_the_gateway_no_longer_counts_it_as_running()
    {
        var startedAt = _clock.GetUtcNow();
        var keys = new HashSet<string>();
        var running = TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(30); // Passthrough:CreateTimeout, and 30 s for replicas whose clocks differ
        _gateway.Always((request, token) =>
        {
            var isFirst = keys.Count == 0;
            keys.Add(request.Headers.GetValues("Idempotency-Key").Single());
            return isFirst ? NeverAsync(request, token)
                : _clock.GetUtcNow() - startedAt < running ? Task.FromResult(ProblemOf(409, "create_in_progress", retryAfter: 2))
                : Task.FromResult(ScriptedUpstream.Json(GenerationOf("queued"), HttpStatusCode.Created));
        });

        var created = await _clock.UntilAsync(_tested.Client.CreateAsync(new CreateGenerationRequest { Prompt = "cat" }, Cancelled));

        Assert.Equal("g1", created.Id);
        Assert.Single(keys);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("order-4711")]
    public async Task A_create_that_fails_names_its_key_and_can_be_repeated_with_it(string? own)
    {
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(400, "invalid_request")))
            .ThenJson(GenerationOf("queued"), HttpStatusCode.Created)
            .Then((_, _) => Task.FromResult(ProblemOf(404, "generation_not_found")));
        var request = new CreateGenerationRequest { Prompt = "cat" };

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => own is null ? _tested.Client.CreateAsync(request, Cancelled) : _tested.Client.CreateAsync(request, own, Cancelled));
        await _tested.Client.CreateAsync(request, fault.IdempotencyKey!, Cancelled);
        var other = await Assert.ThrowsAsync<LumaGatewayException>(() => _tested.Client.GetAsync("g1", Cancelled));

        var keys = _gateway.Received.Take(2).Select(sent => sent.Headers["Idempotency-Key"]).ToList();
        Assert.All(keys, key => Assert.Equal(fault.IdempotencyKey, key));
        Assert.Equal(own ?? keys[0], fault.IdempotencyKey);
        Assert.Null(other.IdempotencyKey);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("é")]
    [InlineData(null)]
    public async Task A_malformed_key_is_never_sent(string? key)
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => _tested.Client.CreateAsync(new CreateGenerationRequest { Prompt = "cat" }, key!, Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(() => _tested.Client.CreateAsync(new CreateGenerationRequest { Prompt = "cat" }, new string('k', 256), Cancelled));

        Assert.Equal(0, _gateway.RequestCount);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("a\r\nX-Api-Key: k")]
    public async Task A_malformed_account_is_never_sent(string account)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _tested.Client.CreateAsync(new CreateGenerationRequest { Prompt = "cat" }, "order-1", account, Cancelled));

        Assert.Equal(0, _gateway.RequestCount);
    }

    [Fact]
    public async Task A_create_keeps_its_account_over_retries_and_sends_none_by_default()
    {
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(503, "account_saturated", retryAfter: 1)))
            .ThenJson(GenerationOf("queued"), HttpStatusCode.Created).ThenJson(GenerationOf("queued"), HttpStatusCode.Created);
        var request = new CreateGenerationRequest { Prompt = "cat" };

        await _clock.UntilAsync(_tested.Client.CreateAsync(request, "order-1", "acme-main", Cancelled));
        await _tested.Client.CreateAsync(request, "order-2", Cancelled);

        Assert.Equal(["acme-main", "acme-main", null], _gateway.Received.Select(sent => sent.Headers.GetValueOrDefault("X-Luma-Account")));
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
    public async Task A_purge_is_retried_until_Redis_confirms_it()
    {
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(503, "cache_unavailable", retryAfter: 1)))
            .Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent)))
            .Then((_, _) => Task.FromResult(ProblemOf(403, "forbidden")));

        await _clock.UntilAsync(PurgeAsync());
        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _tested.Client.PurgeAsync("g1", Cancelled));

        Assert.Equal("forbidden", fault.Code);
        Assert.All(_gateway.Received, request => Assert.Equal((HttpMethod.Delete, "/generations/g1/cache"), (request.Method, request.Address.AbsolutePath)));
        Assert.Equal(3, _gateway.RequestCount);

        async Task<bool> PurgeAsync()
        {
            await _tested.Client.PurgeAsync("g1", Cancelled);
            return true;
        }
    }

    private static async Task<HttpResponseMessage> NeverAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new UnreachableException();
    }
}
