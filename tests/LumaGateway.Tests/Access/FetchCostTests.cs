using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

/// <summary>What a caller causes upstream is charged when it begins: hanging up saves the upstream nothing, and the caller nothing.</summary>
public sealed class FetchCostTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Limits:RequestsPerSecond", "10").With("Limits:Burst", "50").With("Limits:UpstreamCost", "5");

    private readonly TaskCompletionSource _released = new();

    public void Dispose()
    {
        _released.TrySetResult();
        _gateway.Dispose();
    }

    [Fact]
    public async Task Batches_whose_callers_hang_up_are_charged_for_the_fetches_that_they_began()
    {
        HangUpstream();
        using var caller = _gateway.CreateCaller();
        var refused = 0;

        for (var batch = 0; batch < 10; batch++)
        {
            refused += await BeginAndHangUpAsync(caller, $"/generations?ids={string.Join(',', Enumerable.Range(0, 20).Select(i => $"b{batch}-{i}"))}", fetches: 8);
        }

        Assert.Equal(9, refused);
        Assert.InRange(_gateway.Upstream.Asked, 8, 16); // Batch:Parallel of the first; one that ends may make room for the next
    }

    [Fact]
    public async Task A_read_whose_caller_hangs_up_is_charged_for_the_fetch_that_it_began()
    {
        HangUpstream();
        using var caller = _gateway.CreateCaller();
        var refused = 0;

        for (var read = 0; read < 20; read++)
        {
            refused += await BeginAndHangUpAsync(caller, $"/generations/r{read}");
        }

        Assert.Equal(10, refused);
        Assert.Equal(10, _gateway.Upstream.Asked);
    }

    [Fact]
    public async Task A_stream_is_charged_for_the_fetches_that_it_began()
    {
        HangUpstream();
        using var caller = _gateway.CreateCaller();
        var refused = 0;

        for (var stream = 0; stream < 10; stream++)
        {
            refused += await BeginAndHangUpAsync(caller, $"/generations/events?ids={string.Join(',', Enumerable.Range(0, 20).Select(i => $"s{stream}-{i}"))}", fetches: 8);
        }

        Assert.Equal(9, refused);
        Assert.InRange(_gateway.Upstream.Asked, 8, 16);
    }

    [Fact]
    public async Task A_wait_is_charged_for_the_fetch_that_it_began()
    {
        HangUpstream();
        using var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("Prefer", "wait=5");
        var refused = 0;

        for (var read = 0; read < 20; read++)
        {
            refused += await BeginAndHangUpAsync(caller, $"/generations/w{read}");
        }

        Assert.Equal(10, refused);
        Assert.Equal(10, _gateway.Upstream.Asked);
    }

    [Fact]
    public async Task Who_joins_a_fetch_is_not_charged_for_it()
    {
        _gateway.With("Limits:Burst", "7");
        HangUpstream();
        using var caller = _gateway.CreateCaller();
        var first = caller.AskAsync("/generations/g1");
        await _gateway.Upstream.AskedAsync(1);
        var second = caller.AskAsync("/generations/g1");
        await _gateway.Arrivals.WaitingAsync(2);

        _released.SetResult();
        var answers = await Task.WhenAll(first, second);
        using var third = await caller.AskAsync("/generations/g1");
        using var fourth = await caller.AskAsync("/generations/g1");

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        await fourth.ProblemAsync(429, "rate_limited");
    }

    [Theory]
    [InlineData("/generations?ids=")]
    [InlineData("/generations/events?ids=")]
    public async Task Several_at_once_are_admitted_as_a_whole_or_refused_with_nothing_asked(string path)
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "10").With("Limits:UpstreamCost", "1");
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();

        using var first = await caller.AskAsync(path + "a,b,c,d,e,f,g,h");
        using var second = await caller.AskAsync(path + "i,j,k,l");

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await second.ProblemAsync(429, "rate_limited");
        Assert.Equal("2", second.Header("Retry-After"));
        Assert.Equal(8, _gateway.Upstream.Asked);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        using var later = await caller.AskAsync(path + "i,j,k,l");
        Assert.Equal(HttpStatusCode.OK, later.StatusCode);
    }

    [Fact]
    public async Task A_batch_larger_than_the_burst_is_admitted_when_the_burst_is_whole()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "3").With("Limits:UpstreamCost", "1");
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();

        using var first = await caller.AskAsync("/generations?ids=a,b,c,d,e,f");
        using var second = await caller.AskAsync("/generations/a");

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await second.ProblemAsync(429, "rate_limited");
        Assert.Equal("4", second.Header("Retry-After")); // three more than the burst are owed
    }

    [Fact]
    public async Task A_read_that_prefers_not_to_wait_holds_its_slot()
    {
        _gateway.With("Limits:Concurrency", "1");
        HangUpstream();
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1");
        request.Headers.Add("Prefer", "wait=0");
        var first = caller.SendAsync(request, TestContext.Current.CancellationToken);
        await _gateway.Upstream.AskedAsync(1);

        using var second = await caller.AskAsync("/generations/g2");
        _released.SetResult();

        await second.ProblemAsync(429, "rate_limited");
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
    }

    private void HangUpstream() => _gateway.Upstream.Always(async (request, _) =>
    {
        await _released.Task;
        return ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]));
    });

    /// <summary>Hangs up once the upstream was asked so often. 1 where the request was refused instead.</summary>
    private async Task<int> BeginAndHangUpAsync(HttpClient caller, string path, int fetches = 1)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var before = _gateway.Upstream.Asked;
        var asking = caller.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
        await Pump.EventuallyAsync(() => asking.IsCompleted || _gateway.Upstream.Asked >= before + fetches);
        await leaving.CancelAsync();
        try
        {
            using var response = await asking;
            Assert.Contains(response.StatusCode, (HttpStatusCode[])[HttpStatusCode.TooManyRequests, (HttpStatusCode)499, HttpStatusCode.OK]);
            return response.StatusCode is HttpStatusCode.TooManyRequests ? 1 : 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
    }
}
