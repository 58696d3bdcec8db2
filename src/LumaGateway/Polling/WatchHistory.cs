using System.Collections.Concurrent;
using LumaGateway.Contracts;

namespace LumaGateway.Polling;

/// <summary>
/// The watches of generations whose last waiter left less than <see cref="Memory"/> ago. A caller that waits again and again continues the same watch, so
/// that the poll interval grows, also after faults. Holds at most <see cref="MaxCount"/> generations. Thread-safe.
/// </summary>
internal sealed class WatchHistory
{
    private const int MaxCount = 20_000;

    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<GenerationId, (Watch Watch, TimeSpan LeftAt)> _watches = new();
    private int _count;

    /// <summary>Remembers a watch that ends now.</summary>
    public void Add(GenerationId key, Watch watch, TimeSpan now)
    {
        if (Volatile.Read(ref _count) >= MaxCount)
        {
            RemoveOld(now);
        }

        if (Volatile.Read(ref _count) < MaxCount && _watches.TryAdd(key, (watch, now)))
        {
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>The watch that continues, otherwise a new one.</summary>
    public Watch Take(GenerationId key, TimeSpan now)
    {
        if (!_watches.TryRemove(key, out var known))
        {
            return new Watch(now);
        }

        Interlocked.Decrement(ref _count);
        return now - known.LeftAt <= Memory ? known.Watch : new Watch(now);
    }

    private void RemoveOld(TimeSpan now)
    {
        foreach (var (key, known) in _watches)
        {
            if (now - known.LeftAt > Memory && _watches.TryRemove(key, out _))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }
}
