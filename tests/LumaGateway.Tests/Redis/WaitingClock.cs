using LumaGateway.Tests.Caching;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Redis;

/// <summary>A fake clock that knows its timers, so that a test lets a wait pass after it has begun and never before.</summary>
internal sealed class WaitingClock() : FakeTimeProvider(Entries.Noon)
{
    private readonly Lock _gate = new();
    private readonly List<Wait> _waits = [];
    private Action? _atRead;
    private int _reads;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DateTimeOffset Now => base.GetUtcNow();

    /// <summary>How far the wall clock is ahead of time that passes at its own pace, because somebody has set it.</summary>
    public TimeSpan Ahead { get; set; }

    /// <summary>Whether anybody waits for exactly this long.</summary>
    public bool HasWait(TimeSpan wait)
    {
        lock (_gate)
        {
            return _waits.Any(waiting => waiting.Length == wait);
        }
    }

    /// <summary>Waits until somebody waits for exactly this long, then lets that time pass.</summary>
    public async Task PassAsync(TimeSpan wait)
    {
        await WaitedForAsync(wait);
        Advance(wait);
    }

    /// <summary>Lets waits of these lengths pass, each after it has begun, until a task ends.</summary>
    public async Task PassUntilAsync(Task done, params TimeSpan[] waits)
    {
        while (await WaitedForAsync(waits, done) is { } wait)
        {
            Advance(wait);
        }

        await done;
    }

    /// <inheritdoc cref="PassUntilAsync(Task, TimeSpan[])"/>
    public async Task<T> PassUntilAsync<T>(Task<T> done, params TimeSpan[] waits)
    {
        await PassUntilAsync((Task)done, waits);
        return await done;
    }

    /// <summary>Waits until somebody waits for exactly this long.</summary>
    public Task WaitedForAsync(TimeSpan wait) => WaitedForAsync([wait], new TaskCompletionSource().Task);

    /// <summary>Does something when the clock is next read for this many times: in the midst of what the product does then.</summary>
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

    public override long GetTimestamp() => base.GetTimestamp() - Ahead.Ticks; // the base takes it from the wall clock

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
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

    /// <summary>The first of these waits that has begun; null where the task ended.</summary>
    private async Task<TimeSpan?> WaitedForAsync(TimeSpan[] waits, Task done)
    {
        while (!done.IsCompleted)
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

            await Task.WhenAny(done, changed).WithTimeout();
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
