using System.Diagnostics;
using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Upstreams;

/// <summary>The circuit breaker of the upstream: an upstream that is down opens it, ids that always fail do not.</summary>
[Collection(RunsAlone.Name)]
public sealed class BreakerTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Limits:RequestsPerSecond", "0");

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("0")]
    [InlineData("2")]
    public async Task Ids_that_always_fail_do_not_open_the_circuit_for_others(string retries)
    {
        _gateway.With("Luma:Retries", retries).With("Luma:RetryDelay", "00:00:00.001");
        FailFor(id => id.StartsWith("bad", StringComparison.Ordinal));
        using var caller = _gateway.CreateCaller();

        for (var round = 0; round < 40; round++)
        {
            foreach (var id in (string[])["bad1", "bad2", "bad3"])
            {
                using var failing = await _gateway.Clock.UntilAsync(caller.SendGetAsync($"/generations/{id}"));
                await failing.ProblemAsync(502, "upstream_failed");
            }
        }

        using var good = await caller.SendGetAsync("/generations/good");
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [Fact]
    public async Task Ids_that_always_fail_do_not_hide_that_the_upstream_is_down()
    {
        _gateway.With("Luma:Retries", "0");
        FailFor(_ => true);
        using var caller = _gateway.CreateCaller();
        for (var round = 0; round < 30; round++)
        {
            using var failing = await caller.SendGetAsync($"/generations/bad{round % 3}");
        }

        for (var other = 0; other < 7; other++)
        {
            using var failing = await caller.SendGetAsync($"/generations/other{other}");
            await failing.ProblemAsync(502, "upstream_failed");
        }

        using var refused = await caller.SendGetAsync("/generations/good");
        await refused.ProblemAsync(503, "upstream_circuit_open");
    }

    [Fact]
    public async Task An_unreachable_upstream_opens_the_circuit_for_all_ids()
    {
        _gateway.With("Luma:Retries", "0");
        _gateway.Upstream.Always((_, _) => Task.FromException<HttpResponseMessage>(new HttpRequestException(HttpRequestError.ConnectionError)));
        using var caller = _gateway.CreateCaller();
        for (var round = 0; round < 10; round++)
        {
            using var failing = await caller.SendGetAsync("/generations/one");
        }

        using var refused = await caller.SendGetAsync("/generations/another");

        await refused.ProblemAsync(503, "upstream_circuit_open");
    }

    [Fact]
    public async Task A_failing_probe_opens_the_circuit_again_even_if_its_id_is_known_to_fail()
    {
        _gateway.With("Luma:Retries", "0");
        FailFor(_ => true);
        using var caller = _gateway.CreateCaller();
        for (var i = 0; i < 10; i++)
        {
            using var failing = await caller.SendGetAsync($"/generations/g{i}");
        }

        _gateway.Clock.Advance(TimeSpan.FromSeconds(6));
        using var probe = await caller.SendGetAsync("/generations/g0");
        using var refused = await caller.SendGetAsync("/generations/g1");

        await probe.ProblemAsync(502, "upstream_failed");
        await refused.ProblemAsync(503, "upstream_circuit_open");
    }

    [Fact]
    public async Task An_upstream_that_hangs_until_the_deadline_opens_the_circuit()
    {
        _gateway.With("Luma:AttemptTimeout", "00:00:15").With("Luma:Deadline", "00:00:15");
        _gateway.Upstream.Always(HangAsync);
        using var caller = _gateway.CreateCaller();

        var responses = await _gateway.Clock.UntilAsync(Task.WhenAll(Enumerable.Range(0, 10).Select(i => caller.SendGetAsync($"/generations/g{i}"))));
        using var refused = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/another"));

        foreach (var response in responses)
        {
            await response.ProblemAsync(504, "upstream_timed_out");
        }

        Assert.Equal(10, _gateway.Upstream.RequestCount); // no retry after the deadline
        await refused.ProblemAsync(503, "upstream_circuit_open");
    }

    [Fact]
    public async Task A_probe_that_hangs_until_the_deadline_opens_the_circuit_again()
    {
        _gateway.With("Luma:Retries", "0").With("Luma:AttemptTimeout", "00:00:15").With("Luma:Deadline", "00:00:15");
        FailFor(_ => true);
        using var caller = _gateway.CreateCaller();
        for (var i = 0; i < 10; i++)
        {
            using var failing = await caller.SendGetAsync($"/generations/g{i}");
        }

        _gateway.Clock.Advance(TimeSpan.FromSeconds(6));
        _gateway.Upstream.Always(HangAsync);
        using var probe = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/probe"));
        using var refused = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/another"));

        await probe.ProblemAsync(504, "upstream_timed_out");
        await refused.ProblemAsync(503, "upstream_circuit_open");
    }

    private async Task<HttpResponseMessage> HangAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, _gateway.Clock, cancellationToken);
        throw new UnreachableException();
    }

    private void FailFor(Func<string, bool> fails) => _gateway.Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.Segments[^1] is var id && fails(id)
        ? ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError)
        : ScriptedUpstream.Json(Samples.Failed(id))));
}
