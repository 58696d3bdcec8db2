using System.Collections.Concurrent;
using LumaGateway.Contracts;

namespace LumaGateway.Polling;

/// <summary>
/// The polling periods of generations whose last waiter left less than <see cref="Memory"/> ago. A caller that waits again and again continues the same period, so
/// that the poll interval grows, also after faults. Holds at most <see cref="MaxCount"/> generations. Thread-safe.
/// </summary>
internal sealed class RecentPollingPeriods
{
    private const int MaxCount = 20_000;

    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<GenerationId, (PollingPeriod Period, TimeSpan LeftAt)> _periods = new();
    private int _count;

    /// <summary>Remembers a period that ends now.</summary>
    public void Add(GenerationId key, PollingPeriod period, TimeSpan now)
    {
        if (Volatile.Read(ref _count) >= MaxCount)
        {
            RemoveOld(now);
        }

        if (Volatile.Read(ref _count) < MaxCount && _periods.TryAdd(key, (period, now)))
        {
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>The period that continues, otherwise a new one.</summary>
    public PollingPeriod Take(GenerationId key, TimeSpan now)
    {
        if (!_periods.TryRemove(key, out var known))
        {
            return new PollingPeriod(now);
        }

        Interlocked.Decrement(ref _count);
        return now - known.LeftAt <= Memory ? known.Period : new PollingPeriod(now);
    }

    private void RemoveOld(TimeSpan now)
    {
        foreach (var (key, known) in _periods)
        {
            if (now - known.LeftAt > Memory && _periods.TryRemove(key, out _))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }
}
