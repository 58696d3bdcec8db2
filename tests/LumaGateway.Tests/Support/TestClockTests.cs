namespace LumaGateway.Tests.Support;

[Collection(RunsAlone.Name)]
public sealed class TestClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    private readonly TestClock _clock = new(Start);

    [Fact]
    public async Task The_clock_does_not_advance_during_work()
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
    public async Task The_clock_stops_at_each_due_time_and_at_the_end()
    {
        var fired = new List<double>();
        using var timer = _clock.CreateTimer(_ => fired.Add((_clock.GetUtcNow() - Start).TotalSeconds), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        await _clock.RunAsync(TimeSpan.FromSeconds(6));

        Assert.Equal([1, 3, 5], fired);
        Assert.Equal((Start.AddSeconds(6), Start.AddSeconds(7)), (_clock.GetUtcNow(), _clock.NextDueAt));
    }

    [Fact]
    public async Task A_disposed_timer_is_ignored()
    {
        var timer = _clock.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        timer.Dispose();

        Assert.Null(_clock.NextDueAt);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _clock.UntilAsync(() => false));
    }
}

/// <summary>Runs concurrently with other tests.</summary>
public sealed class ConcurrentTestClockTests
{
    [Fact]
    public async Task Waiting_for_an_idle_process_fails_if_other_tests_can_run() =>
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await new TestClock(DateTimeOffset.UnixEpoch).WaitUntilIdleAsync());
}
