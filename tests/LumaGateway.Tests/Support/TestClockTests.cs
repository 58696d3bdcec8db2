namespace LumaGateway.Tests.Support;

[Collection(RunsAlone.Name)]
public sealed class TestClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    private readonly TestClock _clock = new(Start);

    [Fact]
    public async Task Work_between_two_timers_takes_no_time_of_the_clock()
    {
        var seen = new List<double>();
        using var other = _clock.CreateTimer(_ => { }, null, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10));

        Assert.True(await _clock.UntilAsync(LoopAsync()));

        Assert.Equal([1, 2, 3, 4, 5], seen);

        async Task<bool> LoopAsync()
        {
            while (seen.Count < 5)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), _clock, TestContext.Current.CancellationToken);
                await Task.Run(() => Thread.SpinWait(1_000_000), TestContext.Current.CancellationToken);
                await Task.Yield();
                seen.Add((_clock.GetUtcNow() - Start).TotalSeconds);
            }

            return true;
        }
    }

    [Fact]
    public async Task Time_passes_through_each_due_time_and_ends_where_it_was_told_to()
    {
        var fired = new List<double>();
        using var timer = _clock.CreateTimer(_ => fired.Add((_clock.GetUtcNow() - Start).TotalSeconds), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        await _clock.RunAsync(TimeSpan.FromSeconds(6));

        Assert.Equal([1, 3, 5], fired);
        Assert.Equal((Start.AddSeconds(6), Start.AddSeconds(7)), (_clock.GetUtcNow(), _clock.NextDueAt));
    }

    [Fact]
    public async Task A_timer_that_is_stopped_is_not_waited_for()
    {
        var timer = _clock.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        timer.Dispose();

        Assert.Null(_clock.NextDueAt);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _clock.UntilAsync(() => false));
    }
}

/// <summary>Beside other tests.</summary>
public sealed class TestClockBesideOthersTests
{
    [Fact]
    public async Task Waiting_for_an_idle_process_fails_where_others_may_keep_it_busy() =>
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await new TestClock(DateTimeOffset.UnixEpoch).SettleAsync());
}
