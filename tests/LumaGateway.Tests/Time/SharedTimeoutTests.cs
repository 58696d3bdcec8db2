using LumaGateway.Time;

namespace LumaGateway.Tests.Time;

public sealed class SharedTimeoutTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(3200);

    /// <summary>Operations that start within this time share a timer.</summary>
    private static readonly TimeSpan Part = Timeout / 32;

    private readonly CountingClock _clock = new();
    private readonly SharedTimeout _timeouts;

    public SharedTimeoutTests() => _timeouts = new SharedTimeout(Timeout, _clock);

    [Fact]
    public void Operations_that_start_in_one_part_share_a_timer()
    {
        var first = _timeouts.GetToken(out _);
        _clock.Advance(Part - TimeSpan.FromMilliseconds(1));
        var second = _timeouts.GetToken(out _);

        Assert.Equal(first, second);
        Assert.Equal(1, _clock.Timers);
    }

    [Fact]
    public void An_operation_in_a_later_part_has_its_own_timeout()
    {
        var first = _timeouts.GetToken(out _);
        _clock.Advance(Part);
        var second = _timeouts.GetToken(out _);

        _clock.Advance(Timeout - Part);
        Assert.True(first.IsCancellationRequested);
        Assert.False(second.IsCancellationRequested);

        _clock.Advance(Part);
        Assert.True(second.IsCancellationRequested);
    }

    [Fact]
    public void An_operation_gets_the_timeout_less_one_part_at_least()
    {
        _timeouts.GetToken(out var first);
        _clock.Advance(Part - TimeSpan.FromMilliseconds(1));
        var last = _timeouts.GetToken(out var startedAt);
        Assert.Equal(first, startedAt);

        _clock.Advance(Timeout - Part);
        Assert.False(last.IsCancellationRequested);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(last.IsCancellationRequested);
    }

    [Fact]
    public void A_token_that_was_returned_is_not_cancelled_yet()
    {
        for (var i = 0; i < 100; i++)
        {
            Assert.False(_timeouts.GetToken(out _).IsCancellationRequested);
            _clock.Advance(TimeSpan.FromMilliseconds(147));
        }
    }
}
