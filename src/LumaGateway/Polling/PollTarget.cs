using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Polling;

/// <summary>One generation with waiters on this replica. Thread-safe.</summary>
internal sealed class PollTarget(GenerationId key)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Waiter> _waiters = [];
    private bool _isClosed;
    private DateTimeOffset? _firstAbsentAt; // the request time of the first absent snapshot, which is not taken; null if there was none since the last state
    private volatile bool _isUnknownForTooLong;
    private volatile GenerationSnapshot? _snapshot;
    private long _hintAcceptedAt = TimeSpan.MinValue.Ticks / 2;

    public GenerationId Key => key;

    /// <summary>The latest known state; null until the first result.</summary>
    public GenerationSnapshot? Snapshot => _snapshot;

    public bool IsTerminal => _snapshot is { IsTerminal: true };

    /// <summary>True if the generation has been in an unknown state for too long.</summary>
    public bool IsUnknownForTooLong => _isUnknownForTooLong;

    /// <summary>True if waits end: the generation is terminal, or has been in an unknown state for too long.</summary>
    public bool IsWaitOver => IsTerminal || _isUnknownForTooLong;

    /// <summary>Null before the first waiter; there is no poll until then.</summary>
    public PollingPeriod? PollingPeriod { get; set; }

    /// <summary>When the next poll is due, by <see cref="Time.MonotonicClock"/>; never before the first waiter.</summary>
    public TimeSpan DueAt { get; set; } = TimeSpan.MaxValue;

    /// <summary>When the last hint was accepted, by the wall clock.</summary>
    public DateTimeOffset HintedAt { get; set; }

    public bool IsPolling { get; set; }

    /// <summary>True if the list does not serve it: the list does not contain it, or its state there cannot be stored.</summary>
    public bool IsUnlisted { get; set; }

    /// <summary>The number of consecutive sweeps of the list that brought no newer state. A paused process misses one, so one alone is no sign of a fault.</summary>
    public int MissedSweeps { get; set; }

    /// <summary>Accepts a hint unless one was accepted less than <paramref name="floor"/> ago. Of concurrent callers one gets true.</summary>
    public bool TryAcceptHint(TimeSpan now, TimeSpan floor)
    {
        var last = Volatile.Read(ref _hintAcceptedAt);
        return now.Ticks >= last + floor.Ticks && Interlocked.CompareExchange(ref _hintAcceptedAt, now.Ticks, last) == last;
    }

    /// <summary>Whether a hint was accepted after the request of the snapshot. One in the future is ignored: the clock was set back.</summary>
    public bool IsHinted(GenerationSnapshot? snapshot, DateTimeOffset now) => HintedAt <= now && HintedAt > (snapshot?.Entry.RequestedAt ?? DateTimeOffset.MinValue);

    /// <summary>False if the target is closed.</summary>
    public bool TryAdd(Waiter waiter, out bool isFirst)
    {
        lock (_gate)
        {
            isFirst = _waiters.Count == 0;
            return !_isClosed && _waiters.Add(waiter);
        }
    }

    /// <summary>Closes the target with its last waiter, and then returns true.</summary>
    public bool RemoveAndClose(Waiter waiter)
    {
        lock (_gate)
        {
            return _waiters.Remove(waiter) && (_isClosed = _waiters.Count == 0);
        }
    }

    /// <summary>Sets whether the generation has been in an unknown state for too long, and wakes the waiters if it has.</summary>
    public void SetUnknownForTooLong(bool isUnknownForTooLong)
    {
        lock (_gate)
        {
            if (_isUnknownForTooLong == isUnknownForTooLong)
            {
                return;
            }

            _isUnknownForTooLong = isUnknownForTooLong;
            foreach (var waiter in _waiters)
            {
                waiter.Signal(WaiterSignals.StateChanged);
            }
        }
    }

    /// <summary>Drops the snapshot, because the generation was purged.</summary>
    public void Purge()
    {
        lock (_gate)
        {
            (_snapshot, _firstAbsentAt) = (null, null);
        }
    }

    /// <summary>
    /// Takes a new snapshot and wakes the waiters if the state changed. Returns true if it changed. Ignores an interim or absent snapshot that is older than the current
    /// one. A snapshot whose state is final counts whatever its time, because clocks of replicas differ, but not after an absent one that is newer. After it only a later
    /// one with a final state counts: it has newer links. A known generation becomes absent only with the second consecutive absent snapshot, if it comes from another request
    /// than the first.
    /// </summary>
    public bool TryUpdate(GenerationSnapshot snapshot, DateTimeOffset now, out GenerationSnapshot? previous)
    {
        lock (_gate)
        {
            previous = _snapshot;
            if (previous is not null && !Replaces(snapshot, previous, now))
            {
                return false;
            }

            if (snapshot.Summary is null && previous is { Summary: not null } && (_firstAbsentAt ?? snapshot.Entry.RequestedAt) == snapshot.Entry.RequestedAt)
            {
                _firstAbsentAt = snapshot.Entry.RequestedAt;
                return false;
            }

            _firstAbsentAt = null;
            _snapshot = snapshot;
            if (!snapshot.DiffersFrom(previous))
            {
                return false;
            }

            foreach (var waiter in _waiters)
            {
                waiter.Signal(WaiterSignals.StateChanged);
            }

            return true;
        }
    }

    private static bool Replaces(GenerationSnapshot snapshot, GenerationSnapshot previous, DateTimeOffset now) => (snapshot.Summary, previous.Summary) switch
    {
        (_, { IsFinal: true }) => snapshot.Summary is { IsFinal: true } && snapshot.Entry.Outranks(previous.Entry, now),
        (_, null) => snapshot.Entry.Outranks(previous.Entry, now) || previous.Entry.RequestedAt > CacheEntry.LatestCredible(now),
        ({ IsFinal: true }, _) => true,
        _ => !previous.Entry.Outranks(snapshot.Entry, now),
    };
}
