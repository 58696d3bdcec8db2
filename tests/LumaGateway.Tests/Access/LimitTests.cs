using System.Globalization;
using System.Net;
using LumaGateway.Access;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Access;

public sealed class LimitTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_client_over_its_rate_gets_Retry_After_and_is_admitted_at_that_time()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "3").With("Limits:UpstreamCost", "1");
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();
        for (var i = 0; i < 3; i++)
        {
            using var allowed = await caller.SendGetAsync("/generations/g1");
            Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        }

        using var refused = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        using var later = await caller.SendGetAsync("/generations/g1");

        await refused.ProblemAsync(429, "rate_limited");
        Assert.Equal("1", refused.Header("Retry-After"));
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [Fact]
    public async Task A_cache_miss_costs_as_much_as_several_hits()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "10").With("Limits:UpstreamCost", "5");
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).ThenJson(Samples.Failed("g2"));
        using var caller = _gateway.CreateCaller();

        var misses = new[] { await StatusAsync(caller, "g1"), await StatusAsync(caller, "g2") };
        using var hit = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromSeconds(5));
        var hits = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            hits.Add(await StatusAsync(caller, "g1"));
        }

        Assert.Equal([200, 200], misses);
        await hit.ProblemAsync(429, "rate_limited");
        Assert.Equal([200, 200, 200, 200, 200, 429], hits);
    }

    [Fact]
    public async Task A_charge_over_the_bucket_delays_the_next_request()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "1").With("Limits:UpstreamCost", "20");
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/g1");

        using var second = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("20", second.Header("Retry-After"));
    }

    [Fact]
    public async Task Unknown_ids_cost_as_much_as_upstream_requests()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "6").With("Limits:UpstreamCost", "5").With("Freshness:NotFound", "00:00:02");
        _gateway.Upstream.AlwaysJson("{}", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();

        Assert.Equal("404 404 429", await StatusesAsync(caller, "a", "b", "c"));
    }

    [Fact]
    public async Task Every_client_has_its_own_limits()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "1").With("Limits:UpstreamCost", "1")
            .With("Access:Clients:1:Name", "busy").With("Access:Clients:1:KeySha256", Gateway.Digest("busy-key"))
            .With("Access:Clients:1:Limits:Burst", "3");
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();
        using var busy = _gateway.CreateCallerWithoutKey();
        busy.DefaultRequestHeaders.Add("X-Api-Key", "busy-key");

        Assert.Equal("200 429", await StatusesAsync(caller, "g1", "g1"));
        Assert.Equal("200 200 200 429", await StatusesAsync(busy, "g1", "g1", "g1", "g1"));
    }

    [Fact]
    public async Task Two_keys_of_a_client_share_its_limits()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "1").With("Limits:UpstreamCost", "1")
            .With("Access:Clients:0:KeySha256", $"{Gateway.Digest("old-key")},{Gateway.Digest("new-key")}");
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var otherCaller = _gateway.CreateCallerWithoutKey();
        otherCaller.DefaultRequestHeaders.Add("X-Api-Key", "old-key");
        var first = await StatusAsync(otherCaller, "g1");
        otherCaller.DefaultRequestHeaders.Remove("X-Api-Key");
        otherCaller.DefaultRequestHeaders.Add("X-Api-Key", "new-key");

        var second = await StatusAsync(otherCaller, "g1");

        Assert.Equal([200, 429], [first, second]);
    }

    [Fact]
    public async Task Zero_means_no_limit()
    {
        _gateway.With("Limits:RequestsPerSecond", "0").With("Limits:Burst", "1").With("Limits:Concurrency", "0");
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        Assert.Equal("200 200 200", await StatusesAsync(caller, "g1", "g1", "g1"));
    }

    [Fact]
    public async Task Requests_over_the_concurrency_limit_are_refused_until_one_ends()
    {
        _gateway.With("Limits:Concurrency", "2");
        var released = new TaskCompletionSource();
        _gateway.Upstream.Always(async (_, token) =>
        {
            await released.Task.WaitAsync(token);
            return ScriptedUpstream.Json(Samples.Failed("g1"));
        });
        using var caller = _gateway.CreateCaller();
        using var ready = await caller.SendGetAsync("/health/live");
        var pending = new[] { caller.SendGetAsync("/generations/g1"), caller.SendGetAsync("/generations/g1") };
        await _gateway.PendingRequests.WaitForAsync(2);

        using var refused = await caller.SendGetAsync("/generations/g1");
        released.SetResult();
        var responses = await Task.WhenAll(pending);
        using var after = await caller.SendGetAsync("/generations/g1");

        await refused.ProblemAsync(429, "rate_limited");
        Assert.Equal("1", refused.Header("Retry-After"));
        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public void A_waiter_releases_its_slot_only_once()
    {
        var limiter = new ClientLimiter(TimeProvider.System, new ClientLimits(0, 1, 1, 5));
        var client = new Client("tests", Permissions.Read, limiter);
        Assert.Null(limiter.TryAcquire(out _));
        var lease = new RateLimitLease(client);

        lease.ReleaseConcurrency();
        var second = limiter.TryAcquire(out _);
        lease.ReleaseConcurrency();
        var third = limiter.TryAcquire(out _);

        Assert.Null(second);
        Assert.Equal(RefusalReason.ConcurrencyLimit, third);
    }

    [Fact]
    public void A_changed_rate_keeps_the_tokens_of_the_bucket()
    {
        var clock = new FakeTimeProvider();
        var limiter = new ClientLimiter(clock, new ClientLimits(1, 100, 0, 1));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Null(limiter.TryAcquire(out var _)));

        limiter.Update(new ClientLimits(100, 100, 0, 1));
        Assert.Equal(RefusalReason.RateLimit, limiter.TryAcquire(out var wait));
        Assert.Equal(TimeSpan.FromMilliseconds(10), wait);
        clock.Advance(wait);
        Assert.Null(limiter.TryAcquire(out _));

        limiter.Update(new ClientLimits(1, 100, 0, 1));
        Assert.Equal(RefusalReason.RateLimit, limiter.TryAcquire(out wait));
        Assert.Equal(TimeSpan.FromSeconds(1), wait);
    }

    [Fact]
    public void A_client_whose_rate_was_not_limited_has_a_full_bucket()
    {
        var limiter = new ClientLimiter(new FakeTimeProvider(), new ClientLimits(1, 1, 0, 1));
        Assert.Null(limiter.TryAcquire(out _));

        limiter.Update(new ClientLimits(0, 1, 0, 1));
        limiter.Update(new ClientLimits(1, 1, 0, 1));

        Assert.Null(limiter.TryAcquire(out _));
    }

    [Fact]
    public async Task A_disconnected_caller_releases_its_slot()
    {
        _gateway.With("Limits:Concurrency", "1");
        _gateway.Upstream.Then((_, token) => Task.Delay(Timeout.InfiniteTimeSpan, _gateway.Clock, token).ContinueWith<HttpResponseMessage>(_ => throw new HttpRequestException(), TaskScheduler.Default))
            .AlwaysJson(Samples.Failed("g2"));
        using var caller = _gateway.CreateCaller();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var disconnected = caller.GetAsync("/generations/g1", cancellation.Token);
        await _gateway.Upstream.WaitForRequestsAsync(1);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => disconnected);

        await Poll.UntilAsync(async () => await StatusAsync(caller, "g2") == 200);
    }

    [Fact]
    public async Task A_full_upstream_queue_refuses_misses_and_serves_hits()
    {
        _gateway.With("Limits:Upstream:Concurrency", "1").With("Limits:Upstream:Queue", "1").With("Limits:Upstream:QueueTimeout", "00:00:00.5").With("Luma:Retries", "0");
        _gateway.Upstream.ThenJson(Samples.Failed("cached"));
        using var caller = _gateway.CreateCaller();
        var cached = await StatusAsync(caller, "cached");
        var released = new TaskCompletionSource();
        _gateway.Upstream.Always(async (request, token) =>
        {
            await released.Task.WaitAsync(token);
            return ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]));
        });

        var first = caller.SendGetAsync("/generations/a");
        await _gateway.Upstream.WaitForRequestsAsync(2);
        var queued = caller.SendGetAsync("/generations/b");
        var upstream = _gateway.Services.GetRequiredService<UpstreamAccounts>().First.Limiter;
        await Poll.UntilAsync(() => upstream.Queued == 1);
        using var refused = await caller.SendGetAsync("/generations/c");
        var hit = await StatusAsync(caller, "cached");
        _gateway.Clock.Advance(TimeSpan.FromSeconds(0.5));
        using var timedOut = await queued;
        released.SetResult();

        await refused.ProblemAsync(503, "gateway_saturated");
        Assert.Equal("1", refused.Header("Retry-After"));
        await timedOut.ProblemAsync(503, "gateway_saturated");
        Assert.Equal([200, 200], [cached, hit]);
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(200, await StatusAsync(caller, "c"));
    }

    [Theory]
    [InlineData("Limits:RequestsPerSecond", "-1")]
    [InlineData("Limits:Burst", "0")]
    [InlineData("Limits:Concurrency", "-1")]
    [InlineData("Limits:UpstreamCost", "0")]
    [InlineData("Limits:Upstream:Concurrency", "0")]
    [InlineData("Limits:Upstream:Queue", "-1")]
    [InlineData("Limits:Upstream:QueueTimeout", "00:01:00")]
    [InlineData("Access:Clients:0:Limits:RequestsPerSecond", "-1")]
    [InlineData("Access:Clients:0:Limits:Burst", "0")]
    [InlineData("Access:Clients:0:Limits:Concurrency", "-1")]
    [InlineData("Access:Jwt:Authority", "http://issuer.test")]
    [InlineData("Access:Jwt:Audience", "only-an-audience")]
    [InlineData("Server:MaxBodyBytes", "1")]
    [InlineData("Server:HeaderTimeout", "00:05:00")]
    [InlineData("Management:Port", "0")]
    [InlineData("ForwardedHeaders:KnownProxies:0", "proxy.test")]
    [InlineData("ForwardedHeaders:KnownNetworks:0", "10.0.0.0/99")]
    [InlineData("ForwardedHeaders:Limit", "0")]
    public void An_invalid_setting_stops_the_start_and_is_named(string key, string value)
    {
        _gateway.With(key, value);

        Assert.ThrowsAny<Exception>(_gateway.CreateCaller);

        var prefix = key.Replace("Access:Jwt:Audience", "Access:Jwt:Authority", StringComparison.Ordinal);
        Assert.Contains(_gateway.StartFaults, fault => fault.Contains(prefix, StringComparison.Ordinal));
    }

    private static async Task<string> StatusesAsync(HttpClient caller, params string[] ids)
    {
        var statuses = new List<int>();
        foreach (var id in ids)
        {
            statuses.Add(await StatusAsync(caller, id));
        }

        return string.Join(' ', statuses);
    }

    private static async Task<int> StatusAsync(HttpClient caller, string id)
    {
        using var response = await caller.SendGetAsync($"/generations/{id}");
        if ((int)response.StatusCode is 429 or 503)
        {
            Assert.InRange(int.Parse(response.Header("Retry-After"), CultureInfo.InvariantCulture), 1, 60);
        }

        return (int)response.StatusCode;
    }
}
