using System.Collections.Concurrent;
using LumaGateway.Contracts;

namespace LumaGateway.Polling;

/// <summary>
/// Since when generations were polled whose last waiter left less than <see cref="Memory"/> ago. A caller that waits again and again continues the same watch, so
/// that the poll interval grows. Holds at most <see cref="MaxCount"/> generations. Thread-safe.
/// </summary>
internal sealed class WatchHistory
{
    private const int MaxCount = 20_000;

    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<GenerationId, (TimeSpan Since, TimeSpan LeftAt)> _watches = new();
    private int _count;

    /// <summary>Remembers a watch that ends now.</summary>
    public void Add(GenerationId key, TimeSpan since, TimeSpan now)
    {
        if (Volatile.Read(ref _count) >= MaxCount)
        {
            RemoveOld(now);
        }

        if (Volatile.Read(ref _count) < MaxCount && _watches.TryAdd(key, (since, now)))
        {
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>The start of the watch that continues; <paramref name="now"/> if a new one begins.</summary>
    public TimeSpan TakeStart(GenerationId key, TimeSpan now)
    {
        if (!_watches.TryRemove(key, out var watch))
        {
            return now;
        }

        Interlocked.Decrement(ref _count);
        return now - watch.LeftAt <= Memory ? watch.Since : now;
    }

    private void RemoveOld(TimeSpan now)
    {
        foreach (var (key, watch) in _watches)
        {
            if (now - watch.LeftAt > Memory && _watches.TryRemove(key, out _))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }
}
