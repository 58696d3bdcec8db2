using LumaGateway.Tests.Caching;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Sharing;

/// <summary>A fake clock that knows its timers, so that a test lets a wait pass after it has begun and never before.</summary>
internal sealed class WaitingClock() : FakeTimeProvider(Entries.Noon)
{
    private readonly Lock _gate = new();
    private readonly List<(object Timer, TimeSpan Wait)> _waits = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DateTimeOffset Now => GetUtcNow();

    /// <summary>Whether anybody waits for exactly this long.</summary>
    public bool HasWait(TimeSpan wait)
    {
        lock (_gate)
        {
            return _waits.Any(waiting => waiting.Wait == wait);
        }
    }

    /// <summary>Waits until somebody waits for exactly this long, then lets that time pass.</summary>
    public async Task PassAsync(TimeSpan wait)
    {
        await WaitedForAsync(wait);
        Advance(wait);
    }

    /// <summary>Waits until somebody waits for exactly this long.</summary>
    public async Task WaitedForAsync(TimeSpan wait)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            if (HasWait(wait))
            {
                return;
            }

            await changed.Soon();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var wait = new object();
        lock (_gate)
        {
            _waits.Add((wait, dueTime));
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return new Timer(this, wait, base.CreateTimer(
            given =>
            {
                End(wait);
                callback(given);
            },
            state,
            dueTime,
            period));
    }

    private void End(object wait)
    {
        lock (_gate)
        {
            _waits.RemoveAll(waiting => waiting.Timer == wait);
        }
    }

    private sealed class Timer(WaitingClock clock, object wait, ITimer timer) : ITimer
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
