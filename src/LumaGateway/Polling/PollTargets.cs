using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Time;

namespace LumaGateway.Polling;

/// <summary>All that somebody in the fleet waits for, as far as this replica knows. Thread-safe.</summary>
internal sealed class PollTargets(PollSchedule schedule, WaitingMetrics metrics, TimeProvider clock, MonotonicClock steady)
{
    private readonly ConcurrentDictionary<CacheKey, PollTarget> _watches = new();
    private int _wantedHere;

    /// <summary>There is a watch that the fleet has not been told of.</summary>
    public event Action? Joined;

    /// <summary>This replica found out something new; the others may not know.</summary>
    public event Action<PollTarget, GenerationSnapshot>? Changed;

    public IEnumerable<PollTarget> All => _watches.Select(static pair => pair.Value);

    public bool IsEmpty => _watches.IsEmpty;

    /// <summary>How many there are. Takes every lock of the table.</summary>
    public int Count => _watches.Count;

    /// <summary>How many are waited for on this replica.</summary>
    public int WantedHere => Volatile.Read(ref _wantedHere);

    public PollTarget? Find(CacheKey key) => _watches.GetValueOrDefault(key);

    public PollTarget Join(CacheKey key, Waiter subscriber)
    {
        while (true)
        {
            var watch = _watches.GetOrAdd(key, static key => new PollTarget(key));
            if (!watch.TryJoin(subscriber, out var isFirst))
            {
                _watches.TryRemove(new(key, watch));
                continue;
            }

            if (isFirst)
            {
                if (watch.DueAt == default)
                {
                    watch.DueAt = schedule.First(); // the caller's own read comes first: it is charged for the exchange that it causes
                }

                Interlocked.Increment(ref _wantedHere);
                try
                {
                    metrics.Watching();
                    watch.IsAnnounced = false;
                    Joined?.Invoke();
                }
                catch
                {
                    Leave([watch], subscriber);
                    throw;
                }
            }

            return watch;
        }
    }

    /// <summary>Leaves every watch, whatever a callee throws at one of them.</summary>
    public void Leave(ReadOnlySpan<PollTarget> watches, Waiter subscriber)
    {
        var ended = 0;
        foreach (var watch in watches)
        {
            if (watch.Leave(subscriber))
            {
                Interlocked.Decrement(ref _wantedHere);
                Drop(watch);
                ended++;
            }
        }

        metrics.WatchingNoMore(ended);
    }

    public PollTarget WantElsewhere(CacheKey key, TimeSpan until)
    {
        while (true)
        {
            var watch = _watches.GetOrAdd(key, static key => new PollTarget(key));
            if (watch.TryWantElsewhere(until))
            {
                return watch;
            }

            _watches.TryRemove(new(key, watch));
        }
    }

    /// <summary>Forgets what nobody waits for any more.</summary>
    public void Drop(PollTarget watch)
    {
        if (watch.TryClose(steady.Now))
        {
            _watches.TryRemove(new(watch.Key, watch));
        }
    }

    /// <summary>Takes in an answer that this replica got, if anybody waits for it.</summary>
    public void Learn(CacheEntry entry) => Learn(entry, isFromFleet: false);

    /// <summary>Takes in an answer that another replica got.</summary>
    public void Hear(CacheEntry entry) => Learn(entry, isFromFleet: true);

    private void Learn(CacheEntry entry, bool isFromFleet)
    {
        if (Find(entry.Key) is not { } watch)
        {
            return;
        }

        var news = new GenerationSnapshot(entry);
        if (watch.TryTell(news, out var earlier))
        {
            if (news.IsLast && earlier is not null && !isFromFleet)
            {
                metrics.Ended(clock.GetUtcNow() - earlier.Entry.StoredAt);
            }

            if (!isFromFleet)
            {
                Changed?.Invoke(watch, news);
            }
        }

        if (watch.HintedAt <= entry.StoredAt)
        {
            watch.DueAt = schedule.After(news, watch.IsBeingAsked ? watch.AskedAt : steady.Now - AgeOf(entry));
        }
    }

    private TimeSpan AgeOf(CacheEntry entry) => clock.GetUtcNow() - entry.StoredAt is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;
}
