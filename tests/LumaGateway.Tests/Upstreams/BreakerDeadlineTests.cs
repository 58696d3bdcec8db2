using System.Diagnostics;
using System.Net;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams;

/// <summary>The circuit breaker and attempts that the deadline ends early. An attempt timeout is 6 s. Fake clock.</summary>
[Collection(RunsAlone.Name)]
public sealed class BreakerDeadlineTests : IDisposable
{
    private readonly TestClock _clock = new(new DateTimeOffset(2026, 4, 8, 12, 0, 0, TimeSpan.Zero));
    private readonly ScriptedUpstream _upstream = new();
    private readonly UpstreamAccount _account;
    private int _reads;

    public BreakerDeadlineTests() => _account = TestAccounts.Create(new MonotonicClock(_clock), _upstream, TestAccounts.Named("a")).First;

    public void Dispose() => _upstream.Dispose();

    [Theory]
    [InlineData(1, false)]
    [InlineData(2.5, false)]
    [InlineData(3.5, true)]
    [InlineData(5, true)]
    public async Task A_hanging_upstream_opens_the_circuit_only_if_it_had_half_of_an_attempt(double seconds, bool isOpen)
    {
        _upstream.Always(HangAsync);

        await _clock.UntilAsync(Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ReadAsync(seconds))));

        Assert.Equal(isOpen ? UpstreamFault.CircuitOpen : UpstreamFault.TimedOut, await _clock.UntilAsync(ReadAsync(seconds)));
    }

    [Fact]
    public async Task The_wait_for_a_slot_is_not_counted_as_time_of_the_upstream()
    {
        _upstream.Always(HangAsync);
        var leases = new List<IDisposable>();
        for (var i = 0; i < _account.Limiter.Limit; i++)
        {
            leases.Add(await _account.Limiter.AcquireAsync(Cancelled));
        }

        var reads = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ReadAsync(3.5)));
        await _clock.RunAsync(TimeSpan.FromSeconds(0.9)); // Limits:Upstream:QueueTimeout is 1 s
        leases.ForEach(lease => lease.Dispose());
        await _clock.UntilAsync(reads);

        Assert.Equal(10, _upstream.RequestCount);
        Assert.Equal(UpstreamFault.TimedOut, await _clock.UntilAsync(ReadAsync(3.5)));
    }

    [Fact]
    public async Task Reads_that_find_no_slot_do_not_hide_that_the_upstream_hangs()
    {
        _upstream.Always(HangAsync);

        await _clock.UntilAsync(Task.WhenAll(Enumerable.Range(0, _account.Limiter.Limit + 300).Select(_ => ReadAsync(5))));

        Assert.Equal(_account.Limiter.Limit, _upstream.RequestCount);
        Assert.Equal(UpstreamFault.CircuitOpen, await _clock.UntilAsync(ReadAsync(5)));
    }

    [Fact]
    public async Task Reads_that_an_earlier_Retry_After_blocks_do_not_hide_that_the_upstream_hangs()
    {
        _upstream.Always(HangAsync);
        var reads = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ReadAsync(5)));
        await _upstream.WaitForRequestsAsync(10);
        _account.Hold.Start(TimeSpan.FromSeconds(4));
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(UpstreamFault.Throttled, await ReadAsync(3.5));
        }

        await _clock.UntilAsync(reads);

        Assert.Equal(UpstreamFault.CircuitOpen, await _clock.UntilAsync(ReadAsync(5)));
    }

    [Fact]
    public async Task A_probe_that_had_little_time_does_not_close_the_circuit()
    {
        await OpenAsync();
        _upstream.Always(HangAsync);

        Assert.Equal(UpstreamFault.TimedOut, await _clock.UntilAsync(ReadAsync(1)));
        Assert.Equal(UpstreamFault.CircuitOpen, await _clock.UntilAsync(ReadAsync(15)));
    }

    [Fact]
    public async Task A_probe_that_was_not_sent_does_not_close_the_circuit()
    {
        await OpenAsync();
        var leases = new List<IDisposable>();
        for (var i = 0; i < _account.Limiter.Limit; i++)
        {
            leases.Add(await _account.Limiter.AcquireAsync(Cancelled));
        }

        Assert.Equal(UpstreamFault.Saturated, await _clock.UntilAsync(ReadAsync(15)));
        leases.ForEach(lease => lease.Dispose());
        Assert.Equal(UpstreamFault.CircuitOpen, await _clock.UntilAsync(ReadAsync(15)));
    }

    [Fact]
    public async Task A_probe_that_an_earlier_Retry_After_blocks_does_not_close_the_circuit()
    {
        await OpenAsync();
        _account.Hold.Start(TimeSpan.FromSeconds(20));

        Assert.Equal(UpstreamFault.Throttled, await _clock.UntilAsync(ReadAsync(15)));
        Assert.Equal(UpstreamFault.CircuitOpen, await _clock.UntilAsync(ReadAsync(15)));
    }

    [Fact]
    public async Task A_read_does_not_wait_for_a_Retry_After_that_may_end_after_its_deadline()
    {
        _account.Hold.Start(TimeSpan.FromSeconds(14.995));

        Assert.Equal(UpstreamFault.Throttled, await ReadAsync(15)); // the clock stands still
    }

    [Fact]
    public async Task A_probe_with_a_response_closes_the_circuit()
    {
        await OpenAsync();
        _upstream.AlwaysJson("{}", HttpStatusCode.NotFound);

        Assert.Equal(UpstreamFault.NotFound, await _clock.UntilAsync(ReadAsync(15)));
        Assert.Equal(UpstreamFault.NotFound, await _clock.UntilAsync(ReadAsync(15)));
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Opens the circuit, and waits until it allows a probe.</summary>
    private async Task OpenAsync()
    {
        _upstream.Always((_, _) => Task.FromException<HttpResponseMessage>(new HttpRequestException(HttpRequestError.ConnectionError)));
        await _clock.UntilAsync(Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ReadAsync(15))));
        Assert.Equal(UpstreamFault.CircuitOpen, await _clock.UntilAsync(ReadAsync(15)));
        _clock.Advance(TimeSpan.FromSeconds(6));
    }

    /// <summary>Reads a new id, and returns its fault.</summary>
    private async Task<UpstreamFault> ReadAsync(double seconds)
    {
        Assert.True(GenerationId.TryParse($"g{Interlocked.Increment(ref _reads)}", null, out var id));
        using var deadline = new Deadline(TimeSpan.FromSeconds(seconds), _clock);
        return (await Assert.ThrowsAsync<UpstreamException>(() => _account.Client.GetAsync(id, "r1", deadline))).Fault;
    }

    private async Task<HttpResponseMessage> HangAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, _clock, cancellationToken);
        throw new UnreachableException();
    }
}
