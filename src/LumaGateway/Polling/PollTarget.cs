using LumaGateway.Caching;

namespace LumaGateway.Polling;

/// <summary>One generation that somebody in the fleet waits for, and who waits for it here. Thread-safe.</summary>
internal sealed class PollTarget(CacheKey key)
{
    /// <summary>In place of <see cref="GenerationSnapshot.Letter"/> where nothing is known.</summary>
    public const char Unknown = '-';

    private readonly Lock _gate = new();
    private readonly HashSet<Waiter> _subscribers = [];
    private bool _isClosed;
    private bool _wasAbsent;
    private volatile GenerationSnapshot? _news;
    private long _hintTakenAt = TimeSpan.MinValue.Ticks / 2;
    private long _wantedElsewhereUntil;

    public CacheKey Key => key;

    public GenerationSnapshot? GenerationSnapshot => _news;

    public bool IsDone => _news is { IsLast: true };

    public bool IsWantedHere
    {
        get
        {
            lock (_gate)
            {
                return _subscribers.Count > 0;
            }
        }
    }

    /// <summary>When it is to be asked about, by <see cref="Time.MonotonicClock"/>. Only a replica that asks looks at it.</summary>
    public TimeSpan DueAt { get; set; }

    /// <summary>When it was last asked about by this replica, by the same clock.</summary>
    public TimeSpan AskedAt { get; set; }

    /// <summary>Answers from before that, by the wall clock, do not do: there was a hint.</summary>
    public DateTimeOffset HintedAt { get; set; }

    public int Faults { get; set; }

    public bool IsBeingAsked { get; set; }

    /// <summary>Whether the upstream's list does not name it.</summary>
    public bool IsUnlisted { get; set; }

    /// <summary>Whether other replicas have been told that it is wanted here.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>Takes a hint unless one was taken less than <paramref name="floor"/> ago. Of concurrent callers one gets true.</summary>
    public bool TryTakeHint(TimeSpan now, TimeSpan floor)
    {
        var last = Volatile.Read(ref _hintTakenAt);
        return now.Ticks >= last + floor.Ticks && Interlocked.CompareExchange(ref _hintTakenAt, now.Ticks, last) == last;
    }

    public bool IsWantedElsewhere(TimeSpan now) => now.Ticks < Volatile.Read(ref _wantedElsewhereUntil);

    /// <summary>False where it was closed meanwhile.</summary>
    public bool TryJoin(Waiter subscriber, out bool isFirst)
    {
        lock (_gate)
        {
            isFirst = _subscribers.Count == 0;
            return !_isClosed && _subscribers.Add(subscriber);
        }
    }

    /// <summary>True where nobody is left here.</summary>
    public bool Leave(Waiter subscriber)
    {
        lock (_gate)
        {
            return _subscribers.Remove(subscriber) && _subscribers.Count == 0;
        }
    }

    /// <summary>False where it was closed meanwhile.</summary>
    public bool TryWantElsewhere(TimeSpan until)
    {
        lock (_gate)
        {
            Volatile.Write(ref _wantedElsewhereUntil, until.Ticks);
            return !_isClosed;
        }
    }

    /// <summary>Closes it where nobody in the fleet waits any more.</summary>
    public bool TryClose(TimeSpan now)
    {
        lock (_gate)
        {
            _isClosed = _subscribers.Count == 0 && !IsWantedElsewhere(now);
            return _isClosed;
        }
    }

    /// <summary>
    /// Takes news in, and wakes whoever waits here where it says something new. What is old, and anything after the end, is no news; the end always
    /// is, whatever some replica's clock says. That a known generation is gone must be said twice.
    /// </summary>
    public bool TryTell(GenerationSnapshot news, out GenerationSnapshot? earlier)
    {
        lock (_gate)
        {
            earlier = _news;
            if (earlier is not null && (earlier.IsLast || (!news.IsLast && news.Entry.StoredAt < earlier.Entry.StoredAt)))
            {
                return false;
            }

            if (news.Summary is null && earlier is not null && !_wasAbsent)
            {
                _wasAbsent = true;
                return false;
            }

            _wasAbsent = false;
            _news = news;
            if (!news.Differs(earlier))
            {
                return false;
            }

            foreach (var subscriber in _subscribers)
            {
                subscriber.Signal(WaiterSignals.GenerationSnapshot);
            }

            return true;
        }
    }
}
