using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Time;

namespace LumaGateway.Polling;

/// <summary>All generations with waiters on this replica. Thread-safe.</summary>
internal sealed class PollTargets(PollSchedule schedule, RecentPurges purges, WaitingMetrics metrics, TimeProvider clock, MonotonicClock monotonic)
{
    private readonly ConcurrentDictionary<GenerationId, PollTarget> _targets = new();
    private readonly RecentPollingPeriods _history = new();
    private int _count;

    /// <summary>A generation got its first waiter.</summary>
    public event Action? Added;

    /// <summary>This replica read a changed state.</summary>
    public event Action<GenerationSnapshot>? StateChanged;

    public IEnumerable<PollTarget> All => _targets.Select(static pair => pair.Value);

    public bool IsEmpty => _targets.IsEmpty;

    public int Count => Volatile.Read(ref _count);

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
                target.DueAt = schedule.First(); // the waiter reads first itself, so that its client is charged for the request
                target.PollingPeriod = _history.Take(key, monotonic.Now); // last: from now on, polls and hints are possible
                Interlocked.Increment(ref _count);
                try
                {
                    metrics.TargetAdded();
                    Added?.Invoke();
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
            if (target.RemoveAndClose(waiter))
            {
                _targets.TryRemove(new(target.Key, target));
                if (target is { IsTerminal: false, PollingPeriod: { } period })
                {
                    _history.Add(target.Key, period, monotonic.Now);
                }

                removed++;
            }
        }

        Interlocked.Add(ref _count, -removed);
        metrics.TargetsRemoved(removed);
    }

    /// <summary>
    /// Takes a hint that a generation changed, and polls it soon. False if it has no waiters, is terminal, or had a hint less than <c>Waiting:PollFloor</c> ago.
    /// </summary>
    public bool TryHint(GenerationId key)
    {
        if (Find(key) is not { IsTerminal: false, PollingPeriod: not null } target || !target.TryAcceptHint(monotonic.Now, schedule.Floor))
        {
            return false;
        }

        target.HintedAt = clock.GetUtcNow();
        target.DueAt = schedule.AfterHint(target.Snapshot);
        return true;
    }

    /// <summary>A poll of a target with a waiter failed: the next one is later with every consecutive fault.</summary>
    public void RecordFault(PollTarget target)
    {
        var period = target.PollingPeriod!;
        period.FailedAt = clock.GetUtcNow();
        var current = Find(target.Key) ?? target; // another one if the waiters left during the poll, and new ones came
        current.DueAt = schedule.AfterFault(++period.ConsecutiveFaults);
    }

    /// <summary>Updates the target of an entry that this replica read. Does nothing without a target.</summary>
    public void Update(CacheEntry entry) => Update(entry, isFromReplica: false);

    /// <summary>As <see cref="Update(CacheEntry)"/>, for an entry that another replica sent.</summary>
    public void UpdateFromReplica(CacheEntry entry) => Update(entry, isFromReplica: true);

    /// <summary>Callers that wait after a purge get no state from before it.</summary>
    public void Purge(GenerationId key)
    {
        purges.Add(key);
        Find(key)?.Purge();
    }

    private void Update(CacheEntry entry, bool isFromReplica)
    {
        if (Find(entry.Key) is not { } target)
        {
            return;
        }

        var snapshot = new GenerationSnapshot(entry);
        if (!purges.IsFromBefore(entry) && target.TryUpdate(snapshot, clock.GetUtcNow(), out var previous) && !isFromReplica)
        {
            if (snapshot.IsTerminal && previous is { IsTerminal: false })
            {
                metrics.EndDetected(clock.GetUtcNow() - previous.Entry.StoredAt);
            }

            StateChanged?.Invoke(snapshot);
        }

        if (target.Snapshot is { } updated && purges.IsFromBefore(updated.Entry))
        {
            target.Purge(); // a purge arrived during this update
        }

        if (target.Snapshot is { } current)
        {
            target.SetUnknownForTooLong(schedule.IsUnknownForTooLong(target, current));
        }

        var latest = target.Snapshot is { } known && known.Entry.RequestedAt > entry.RequestedAt ? known : snapshot; // messages may be late
        var now = clock.GetUtcNow();
        if (target.PollingPeriod is not { } period || (latest.Entry.RequestedAt < period.FailedAt && period.FailedAt <= now))
        {
            return; // the first waiter sets when the poll is due; a state from before a fault does not end the pause after it, unless the clock was set back
        }

        target.DueAt = target.IsHinted(latest, now) ? schedule.AfterHint(latest) : schedule.After(target, latest);
    }
}
