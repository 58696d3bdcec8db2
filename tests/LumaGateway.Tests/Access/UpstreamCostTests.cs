using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

/// <summary>An upstream request is charged when it starts. A caller that disconnects is charged too.</summary>
public sealed class UpstreamCostTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Limits:RequestsPerSecond", "10").With("Limits:Burst", "50").With("Limits:UpstreamCost", "5");

    private readonly TaskCompletionSource _upstreamReleased = new();

    public void Dispose()
    {
        _upstreamReleased.TrySetResult();
        _gateway.Dispose();
    }

    [Fact]
    public async Task A_batch_whose_caller_disconnects_is_charged_for_its_started_fetches()
    {
        BlockUpstream();
        using var caller = _gateway.CreateCaller();
        var refused = 0;

        for (var batch = 0; batch < 10; batch++)
        {
            refused += await StartAndDisconnectAsync(caller, $"/generations?ids={string.Join(',', Enumerable.Range(0, 20).Select(i => $"b{batch}-{i}"))}", fetches: 8);
        }

        Assert.Equal(9, refused);
        Assert.InRange(_gateway.Upstream.RequestCount, 8, 16); // the eight parallel fetches of the first batch; a canceled one can start the next
    }

    [Fact]
    public async Task A_read_whose_caller_disconnects_is_charged_for_its_fetch()
    {
        BlockUpstream();
        using var caller = _gateway.CreateCaller();
        var refused = 0;

        for (var read = 0; read < 20; read++)
        {
            refused += await StartAndDisconnectAsync(caller, $"/generations/r{read}");
        }

        Assert.Equal(10, refused);
        Assert.Equal(10, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task An_event_stream_is_charged_for_its_started_fetches()
    {
        BlockUpstream();
        using var caller = _gateway.CreateCaller();
        var refused = 0;

        for (var stream = 0; stream < 10; stream++)
        {
            refused += await StartAndDisconnectAsync(caller, $"/generations/events?ids={string.Join(',', Enumerable.Range(0, 20).Select(i => $"s{stream}-{i}"))}", fetches: 8);
        }

        Assert.Equal(9, refused);
        Assert.InRange(_gateway.Upstream.RequestCount, 8, 16);
    }

    [Fact]
    public async Task A_long_poll_is_charged_for_its_fetch()
    {
        BlockUpstream();
        using var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("Prefer", "wait=5");
        var refused = 0;

        for (var read = 0; read < 20; read++)
        {
            refused += await StartAndDisconnectAsync(caller, $"/generations/w{read}");
        }

        Assert.Equal(10, refused);
        Assert.Equal(10, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_read_that_joins_a_fetch_is_not_charged_for_it()
    {
        _gateway.With("Limits:Burst", "7");
        BlockUpstream();
        using var caller = _gateway.CreateCaller();
        var first = caller.SendGetAsync("/generations/g1");
        await _gateway.Upstream.WaitForRequestsAsync(1);
        var second = caller.SendGetAsync("/generations/g1");
        await _gateway.PendingRequests.WaitForAsync(2);

        _upstreamReleased.SetResult();
        var responses = await Task.WhenAll(first, second);
        using var third = await caller.SendGetAsync("/generations/g1");
        using var fourth = await caller.SendGetAsync("/generations/g1");

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        await fourth.ProblemAsync(429, "rate_limited");
    }

    [Theory]
    [InlineData("/generations?ids=")]
    [InlineData("/generations/events?ids=")]
    public async Task A_batch_is_admitted_as_a_whole_or_refused_without_an_upstream_request(string path)
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "10").With("Limits:UpstreamCost", "1");
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync(path + "a,b,c,d,e,f,g,h");
        using var second = await caller.SendGetAsync(path + "i,j,k,l");

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await second.ProblemAsync(429, "rate_limited");
        Assert.Equal("2", second.Header("Retry-After"));
        Assert.Equal(8, _gateway.Upstream.RequestCount);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        using var later = await caller.SendGetAsync(path + "i,j,k,l");
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [Fact]
    public async Task A_batch_larger_than_the_burst_is_admitted_when_the_bucket_is_full()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "3").With("Limits:UpstreamCost", "1");
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync("/generations?ids=a,b,c,d,e,f");
        using var second = await caller.SendGetAsync("/generations/a");

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await second.ProblemAsync(429, "rate_limited");
        Assert.Equal("4", second.Header("Retry-After")); // three tokens over the burst, and one for the request
    }

    [Fact]
    public async Task A_read_with_wait_0_keeps_its_slot()
    {
        _gateway.With("Limits:Concurrency", "1");
        BlockUpstream();
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1");
        request.Headers.Add("Prefer", "wait=0");
        var first = caller.SendAsync(request, TestContext.Current.CancellationToken);
        await _gateway.Upstream.WaitForRequestsAsync(1);

        using var second = await caller.SendGetAsync("/generations/g2");
        _upstreamReleased.SetResult();

        await second.ProblemAsync(429, "rate_limited");
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
    }

    private void BlockUpstream() => _gateway.Upstream.Always(async (request, _) =>
    {
        await _upstreamReleased.Task;
        return ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]));
    });

    /// <summary>Disconnects after the given number of upstream requests. Returns 1 if the request was refused, else 0.</summary>
    private async Task<int> StartAndDisconnectAsync(HttpClient caller, string path, int fetches = 1)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var before = _gateway.Upstream.RequestCount;
        var pending = caller.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellation.Token);
        await Poll.UntilAsync(() => pending.IsCompleted || _gateway.Upstream.RequestCount >= before + fetches);
        await cancellation.CancelAsync();
        try
        {
            using var response = await pending;
            Assert.Contains(response.StatusCode, (HttpStatusCode[])[HttpStatusCode.TooManyRequests, (HttpStatusCode)499, HttpStatusCode.OK]);
            return response.StatusCode is HttpStatusCode.TooManyRequests ? 1 : 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
    }
}
