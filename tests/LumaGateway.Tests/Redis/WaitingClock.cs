using LumaGateway.Tests.Caching;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Redis;

/// <summary>A fake clock that records its timers. A test can advance it after a wait has started and never before.</summary>
internal sealed class WaitingClock() : FakeTimeProvider(Entries.Noon)
{
    private readonly Lock _gate = new();
    private readonly List<Wait> _waits = [];
    private Action? _atRead;
    private int _reads;
    private int _started;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DateTimeOffset Now => base.GetUtcNow();

    /// <summary>The difference between the wall clock and the monotonic time, as after a correction of the wall clock.</summary>
    public TimeSpan Ahead { get; set; }

    /// <summary>The number of timers that have been started.</summary>
    public int Started => Volatile.Read(ref _started);

    /// <summary>Whether a timer of exactly this length runs.</summary>
    public bool HasWait(TimeSpan wait)
    {
        lock (_gate)
        {
            return _waits.Any(waiting => waiting.Length == wait);
        }
    }

    /// <summary>Waits until a timer of exactly this length runs, then advances the clock by that time.</summary>
    public async Task PassAsync(TimeSpan wait)
    {
        await WaitedForAsync(wait);
        Advance(wait);
    }

    /// <summary>Advances the clock by each timer of these lengths, after the timer has started, until a task ends.</summary>
    public async Task PassUntilAsync(Task task, params TimeSpan[] waits)
    {
        while (await WaitedForAsync(waits, task) is { } wait)
        {
            Advance(wait);
        }

        await task;
    }

    /// <inheritdoc cref="PassUntilAsync(Task, TimeSpan[])"/>
    public async Task<T> PassUntilAsync<T>(Task<T> task, params TimeSpan[] waits)
    {
        await PassUntilAsync((Task)task, waits);
        return await task;
    }

    /// <summary>Waits until a timer of exactly this length runs.</summary>
    public Task WaitedForAsync(TimeSpan wait) => WaitedForAsync([wait], new TaskCompletionSource().Task);

    /// <summary>Runs an action at the given number of clock reads from now, in the middle of the product's work.</summary>
    public void AtRead(int times, Action act) => (_reads, _atRead) = (times, act);

    public override DateTimeOffset GetUtcNow()
    {
        if (_atRead is { } act && Interlocked.Decrement(ref _reads) == 0)
        {
            _atRead = null;
            act();
        }

        return base.GetUtcNow() + Ahead;
    }

    public override long GetTimestamp() => base.GetTimestamp() - Ahead.Ticks; // the base class derives it from the wall clock

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Interlocked.Increment(ref _started);
        var wait = new Wait(dueTime);
        var timer = base.CreateTimer(
            given =>
            {
                End(wait);
                callback(given);
            },
            state,
            dueTime,
            period);
        lock (_gate)
        {
            if (!wait.IsOver)
            {
                _waits.Add(wait);
                _changed.TrySetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        return new Timer(this, wait, timer);
    }

    /// <summary>Returns the first of these waits that has started; null if the task ended.</summary>
    private async Task<TimeSpan?> WaitedForAsync(TimeSpan[] waits, Task task)
    {
        while (!task.IsCompleted)
        {
            Task changed;
            lock (_gate)
            {
                if (_waits.Find(waiting => waits.Contains(waiting.Length)) is { } wait)
                {
                    return wait.Length;
                }

                changed = _changed.Task;
            }

            await Task.WhenAny(task, changed).WithTimeout();
        }

        return null;
    }

    private void End(Wait wait)
    {
        lock (_gate)
        {
            wait.IsOver = true;
            _waits.Remove(wait);
        }
    }

    private sealed class Wait(TimeSpan length)
    {
        public TimeSpan Length => length;

        public bool IsOver { get; set; }
    }

    private sealed class Timer(WaitingClock clock, Wait wait, ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose()
        {
            clock.End(wait);
            timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            clock.End(wait);
            return timer.DisposeAsync();
        }
    }
}
