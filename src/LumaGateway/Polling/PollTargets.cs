using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Time;

namespace LumaGateway.Polling;

/// <summary>All generations with waiters, on this replica or announced by another. Thread-safe.</summary>
internal sealed class PollTargets(PollSchedule schedule, WaitingMetrics metrics, TimeProvider clock, MonotonicClock steady)
{
    private readonly ConcurrentDictionary<GenerationId, PollTarget> _targets = new();
    private int _localCount;

    /// <summary>A generation got its first waiter on this replica, and is not announced to the other replicas yet.</summary>
    public event Action? LocalTargetAdded;

    /// <summary>This replica read a changed state.</summary>
    public event Action<PollTarget, GenerationSnapshot>? StateChanged;

    public IEnumerable<PollTarget> All => _targets.Select(static pair => pair.Value);

    public bool IsEmpty => _targets.IsEmpty;

    /// <summary>Takes every lock of the dictionary.</summary>
    public int Count => _targets.Count;

    /// <summary>The number of generations with waiters on this replica.</summary>
    public int LocalCount => Volatile.Read(ref _localCount);

    public PollTarget? Find(GenerationId key) => _targets.GetValueOrDefault(key);

    public PollTarget AddWaiter(GenerationId key, Waiter waiter)
    {
        while (true)
        {
            var target = _targets.GetOrAdd(key, static key => new PollTarget(key));
            if (!target.TryAdd(waiter, out var isFirst))
            {
                _targets.TryRemove(new(key, target));
                continue;
            }

            if (isFirst)
            {
                if (target.DueAt == default)
                {
                    target.DueAt = schedule.First(); // the waiter reads first itself, so that its client is charged for the request
                }

                Interlocked.Increment(ref _localCount);
                try
                {
                    metrics.TargetAdded();
                    target.IsAnnounced = false;
                    LocalTargetAdded?.Invoke();
                }
                catch
                {
                    RemoveWaiter([target], waiter);
                    throw;
                }
            }

            return target;
        }
    }

    /// <summary>Removes the waiter from all of them before any metric is recorded: a metric listener may throw.</summary>
    public void RemoveWaiter(ReadOnlySpan<PollTarget> targets, Waiter waiter)
    {
        var removed = 0;
        foreach (var target in targets)
        {
            if (target.Remove(waiter))
            {
                Interlocked.Decrement(ref _localCount);
                RemoveIfUnused(target);
                removed++;
            }
        }

        metrics.TargetsRemoved(removed);
    }

    /// <summary>Records that another replica has waiters for the key, until the given time of <see cref="MonotonicClock"/>.</summary>
    public PollTarget AddRemote(GenerationId key, TimeSpan until)
    {
        while (true)
        {
            var target = _targets.GetOrAdd(key, static key => new PollTarget(key));
            if (target.TrySetRemoteWaiters(until))
            {
                return target;
            }

            _targets.TryRemove(new(key, target));
        }
    }

    /// <summary>Removes the target if it has no waiters on any replica.</summary>
    public void RemoveIfUnused(PollTarget target)
    {
        if (target.TryClose(steady.Now))
        {
            _targets.TryRemove(new(target.Key, target));
        }
    }

    /// <summary>Updates the target of an entry that this replica read. Does nothing without a target.</summary>
    public void Update(CacheEntry entry) => Update(entry, isFromReplica: false);

    /// <summary>As <see cref="Update(CacheEntry)"/>, for an entry that another replica sent.</summary>
    public void UpdateFromReplica(CacheEntry entry) => Update(entry, isFromReplica: true);

    private void Update(CacheEntry entry, bool isFromReplica)
    {
        if (Find(entry.Key) is not { } target)
        {
            return;
        }

        var snapshot = new GenerationSnapshot(entry);
        if (target.TryUpdate(snapshot, out var previous) && !isFromReplica)
        {
            if (snapshot.IsTerminal && previous is not null)
            {
                metrics.EndDetected(clock.GetUtcNow() - previous.Entry.StoredAt);
            }

            StateChanged?.Invoke(target, snapshot);
        }

        if (target.HintedAt <= entry.StoredAt)
        {
            target.DueAt = schedule.After(snapshot, target.IsPolling ? target.PolledAt : steady.Now - AgeOf(entry));
        }
    }

    private TimeSpan AgeOf(CacheEntry entry) => clock.GetUtcNow() - entry.StoredAt is var age && age > TimeSpan.Zero ? age : TimeSpan.Zero;
}
