using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>
/// While it is open nobody asks the upstream for a read, because the upstream asked for that (<c>Retry-After</c>, RFC 9110, section 10.2.3).
/// Thread-safe.
/// </summary>
internal sealed class RetryAfterHold(MonotonicClock clock)
{
    /// <summary>However long the upstream asks for, somebody looks again after this.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private long _until;

    /// <summary>This replica was told by the upstream; the others are to be told.</summary>
    public event Action<TimeSpan>? Opened;

    /// <summary>Time left; zero while it is not open.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = new TimeSpan(Volatile.Read(ref _until) - clock.Now.Ticks);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>The upstream itself asked for it.</summary>
    public void Open(TimeSpan length)
    {
        if (Extend(length))
        {
            Opened?.Invoke(length);
        }
    }

    /// <summary>Another replica was asked for it. A pause is only ever made longer.</summary>
    public bool Extend(TimeSpan length)
    {
        var until = (clock.Now + (length < Longest ? length : Longest)).Ticks;
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
