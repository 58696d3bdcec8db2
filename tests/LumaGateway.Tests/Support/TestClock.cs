using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Support;

/// <summary>
/// A fake clock that tracks its timers. A test can advance from one due time to the next while the process is idle, so that fake time does not overtake real work on
/// a slow machine. Thread-safe.
/// </summary>
/// <remarks>
/// <see cref="FakeTimeProvider.Advance"/> works in every test. The methods of this class wait until the thread pool is idle, so they work only in tests of
/// <see cref="RunsAlone"/>, and not with sockets.
/// </remarks>
internal sealed class TestClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    /// <summary>The limit for a wait, in the time of this clock.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromHours(2);

    private readonly Lock _lock = new();
    private readonly HashSet<TrackedTimer> _armed = [];
    private int _started;

    /// <summary>When the next timer is due; null if there is no timer.</summary>
    public DateTimeOffset? NextDueAt
    {
        get
        {
            lock (_lock)
            {
                return _armed.Count == 0 ? null : _armed.Min(timer => timer.DueAt);
            }
        }
    }

    /// <summary>The number of timers that have been started.</summary>
    public int Started => Volatile.Read(ref _started);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Interlocked.Increment(ref _started);
        var timer = new TrackedTimer(this, callback, state);
        timer.Start(base.CreateTimer(TrackedTimer.Fire, timer, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan), dueTime, period);
        return timer;
    }

    /// <summary>Waits until a timer is due within this time. Works in every test. The clock does not advance.</summary>
    public Task TimerWithinAsync(TimeSpan length) => Poll.UntilAsync(() => NextDueAt <= GetUtcNow() + length);

    /// <summary>Advances until the task is complete, and returns its result.</summary>
    public async Task<T> UntilAsync<T>(Task<T> task)
    {
        await UntilAsync(() => task.IsCompleted);
        return await task;
    }

    /// <summary>Advances until the condition holds. It is checked only while the process is idle.</summary>
    public Task UntilAsync(Func<bool> holds)
    {
        var end = GetUtcNow() + Limit;
        return AdvanceAsync(() =>
        {
            if (holds())
            {
                return null;
            }

            var next = NextDueAt ?? throw new InvalidOperationException("The condition does not hold, the process is idle and there is no timer.");
            return next < end ? next : throw new InvalidOperationException($"The condition did not become true within {Limit} of the clock's time.");
        });
    }

    /// <summary>Advances by this time.</summary>
    public Task RunAsync(TimeSpan length)
    {
        var end = GetUtcNow() + length;
        return AdvanceAsync(() => GetUtcNow() >= end ? null : NextDueAt is { } next && next < end ? next : end);
    }

    /// <summary>Waits until all work is complete or waits for a timer. The clock does not advance.</summary>
    public Task WaitUntilIdleAsync() => AdvanceAsync(() => null);

    /// <summary>Advances to each instant that <paramref name="next"/> returns, each time once the process is idle; ends when it returns null.</summary>
    /// <remarks>It runs on a separate thread, because the thread pool must be idle.</remarks>
    private Task AdvanceAsync(Func<DateTimeOffset?> next)
    {
        RunsAlone.Check();
        var cancelled = TestContext.Current.CancellationToken;
        return Task.Factory.StartNew(
            () =>
            {
                ThreadPoolIdle.Wait(cancelled);
                while (next() is { } instant)
                {
                    var now = GetUtcNow();
                    Advance(instant > now ? instant - now : TimeSpan.Zero);
                    ThreadPoolIdle.Wait(cancelled);
                }
            },
            cancelled,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    /// <summary>A timer that records when it is due.</summary>
    private sealed class TrackedTimer(TestClock clock, TimerCallback callback, object? state) : ITimer
    {
        private ITimer? _timer;
        private TimeSpan _period;

        /// <summary>Guarded by the clock's lock.</summary>
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
            SetDueTime(dueTime);
            return _timer!.Change(dueTime, period);
        }

        public void Dispose()
        {
            SetDueTime(Timeout.InfiniteTimeSpan);
            _timer!.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire()
        {
            SetDueTime(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan);
            callback(state);
        }

        private void SetDueTime(TimeSpan dueTime)
        {
            lock (clock._lock)
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
