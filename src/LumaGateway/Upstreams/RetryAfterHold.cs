using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>
/// Suspends requests to one account for the time of its <c>Retry-After</c> header (RFC 9110, section 10.2.3). Thread-safe.
/// </summary>
internal sealed class RetryAfterHold(MonotonicClock clock)
{
    /// <summary>The longest hold. A longer <c>Retry-After</c> is cut to it.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(5);

    private long _until;

    /// <summary>Raised when a response to this replica starts or extends the hold, so that it can be published to the other replicas.</summary>
    public event Action<TimeSpan>? Started;

    /// <summary>The remaining time; zero without a hold.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var remaining = new TimeSpan(Volatile.Read(ref _until) - clock.Now.Ticks);
            return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
        }
    }

    /// <summary>Starts or extends the hold after a response to this replica.</summary>
    public void Start(TimeSpan duration)
    {
        if (Extend(duration))
        {
            Started?.Invoke(duration);
        }
    }

    /// <summary>Starts or extends the hold without the event; never shortens it.</summary>
    /// <returns>False if the hold is already as long.</returns>
    public bool Extend(TimeSpan duration)
    {
        var until = (clock.Now + (duration < MaxDuration ? duration : MaxDuration)).Ticks;
        while (true)
        {
            var before = Volatile.Read(ref _until);
            if (until <= before)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _until, until, before) == before)
            {
                return true;
            }
        }
    }
}
