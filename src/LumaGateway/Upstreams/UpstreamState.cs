using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>Whether an account's circuit breaker is open, and whether the upstream refuses the account; and since when. Thread-safe.</summary>
internal sealed class UpstreamState(MonotonicClock clock)
{
    private const long Never = -1;

    private long _breakerOpenedAt = Never;
    private long _refusedAt = Never;

    public bool IsBreakerOpen
    {
        get => BreakerOpenFor is not null;
        set => Volatile.Write(ref _breakerOpenedAt, value ? clock.Now.Ticks : Never);
    }

    public bool IsAccountRefused => RefusedFor is not null;

    /// <summary>The time since the circuit breaker opened, or opened again; null while it is closed.</summary>
    public TimeSpan? BreakerOpenFor => Since(ref _breakerOpenedAt);

    /// <summary>The time since the upstream last refused the account; null while it accepts the account.</summary>
    public TimeSpan? RefusedFor => Since(ref _refusedAt);

    /// <summary>Returns true if the state changed.</summary>
    public bool SetAccountRefused(bool refused)
    {
        if (!refused && Volatile.Read(ref _refusedAt) == Never)
        {
            return false; // the usual case: no write to shared memory
        }

        return (Interlocked.Exchange(ref _refusedAt, refused ? clock.Now.Ticks : Never) != Never) != refused;
    }

    private TimeSpan? Since(ref long start) => Volatile.Read(ref start) is var ticks && ticks != Never ? clock.Now - TimeSpan.FromTicks(ticks) : null;
}
