using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Support;

/// <summary>
/// A clock that moves only when told. It knows every timer that waits for it. A test can go from one due time to the next, and only while the
/// process is idle: fake time cannot overtake real work, however slow the machine is. Thread-safe.
/// </summary>
/// <remarks>
/// <see cref="FakeTimeProvider.Advance"/> moves at once and may be called anywhere. The methods of this class wait for the thread pool to be idle,
/// so they work in tests of <see cref="RunsAlone"/> only, and not where a socket is waited for.
/// </remarks>
internal sealed class TestClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    /// <summary>Longer than any test waits, in this clock's time.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(2);

    private readonly Lock _gate = new();
    private readonly HashSet<TrackedTimer> _armed = [];

    /// <summary>When the next timer is due; null if no timer waits.</summary>
    public DateTimeOffset? NextDueAt
    {
        get
        {
            lock (_gate)
            {
                return _armed.Count == 0 ? null : _armed.Min(timer => timer.DueAt);
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new TrackedTimer(this, callback, state);
        timer.Start(base.CreateTimer(TrackedTimer.Fire, timer, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan), dueTime, period);
        return timer;
    }

    /// <summary>Until a timer waits that is due within this time, for tests that others run beside. No time passes.</summary>
    public Task TimerWithinAsync(TimeSpan length) => Pump.EventuallyAsync(() => NextDueAt <= GetUtcNow() + length);

    /// <summary>Lets time pass until the task is done, and returns its result.</summary>
    public async Task<T> UntilAsync<T>(Task<T> done)
    {
        await UntilAsync(() => done.IsCompleted);
        return await done;
    }

    /// <summary>Lets time pass until the condition holds. It is asked only while the process is idle.</summary>
    public Task UntilAsync(Func<bool> holds)
    {
        var end = GetUtcNow() + Longest;
        return PassAsync(() =>
        {
            if (holds())
            {
                return null;
            }

            var next = NextDueAt ?? throw new InvalidOperationException("The condition does not hold, the process is idle and no timer waits.");
            return next < end ? next : throw new InvalidOperationException($"The condition did not come to hold within {Longest} of the clock's time.");
        });
    }

    /// <summary>Lets exactly this much time pass.</summary>
    public Task RunAsync(TimeSpan length)
    {
        var end = GetUtcNow() + length;
        return PassAsync(() => GetUtcNow() >= end ? null : NextDueAt is { } next && next < end ? next : end);
    }

    /// <summary>Waits until all work has ended or waits for a timer. No time passes.</summary>
    public Task SettleAsync() => PassAsync(() => null);

    /// <summary>Advances to each instant that <paramref name="next"/> returns, each time once the process is idle; ends when it returns null.</summary>
    /// <remarks>It runs on a thread of its own: the thread pool must be idle.</remarks>
    private Task PassAsync(Func<DateTimeOffset?> next)
    {
        RunsAlone.Check();
        var cancelled = TestContext.Current.CancellationToken;
        return Task.Factory.StartNew(
            () =>
            {
                ThreadPoolRest.Await(cancelled);
                while (next() is { } instant)
                {
                    var now = GetUtcNow();
                    Advance(instant > now ? instant - now : TimeSpan.Zero);
                    ThreadPoolRest.Await(cancelled);
                }
            },
            cancelled,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    /// <summary>A timer of the base class that notes when it is due.</summary>
    private sealed class TrackedTimer(TestClock clock, TimerCallback callback, object? state) : ITimer
    {
        private ITimer? _timer;
        private TimeSpan _period;

        /// <summary>Guarded by the clock's gate.</summary>
        public DateTimeOffset DueAt { get; private set; }

        public static void Fire(object? timer) => ((TrackedTimer)timer!).Fire();

        public void Start(ITimer timer, TimeSpan dueTime, TimeSpan period)
        {
            _timer = timer;
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Note(dueTime);
            return _timer!.Change(dueTime, period);
        }

        public void Dispose()
        {
            Note(Timeout.InfiniteTimeSpan);
            _timer!.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire()
        {
            Note(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan);
            callback(state);
        }

        private void Note(TimeSpan dueTime)
        {
            lock (clock._gate)
            {
                if (dueTime == Timeout.InfiniteTimeSpan)
                {
                    clock._armed.Remove(this);
                }
                else
                {
                    DueAt = clock.GetUtcNow() + dueTime;
                    clock._armed.Add(this);
                }
            }
        }
    }
}
