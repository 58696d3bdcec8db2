namespace LumaGateway.Time;

/// <summary>
/// A token bucket that stores one number: the time at which it is full again (the generic cell rate algorithm of ITU-T I.371). A new bucket is full.
/// Thread-safe, without locks; never waits and allocates nothing.
/// </summary>
/// <remarks>Rate and size are arguments of each call, because they change when settings are reloaded.</remarks>
internal sealed class TokenBucket(TimeProvider clock)
{
    private long _fullAt = clock.GetTimestamp();

    public bool IsFull => Volatile.Read(ref _fullAt) <= clock.GetTimestamp();

    /// <summary>The number of whole tokens that can be taken now; 0 if the bucket has a negative balance.</summary>
    public int Available(double perSecond, int size)
    {
        var missing = Math.Max(0, Volatile.Read(ref _fullAt) - clock.GetTimestamp());
        var ticksPerToken = TicksOf(1, perSecond);
        return (int)Math.Max(0, size - ((missing + ticksPerToken - 1) / ticksPerToken));
    }

    /// <summary>Takes one token. Returns false, and the time until there is one, if there is none.</summary>
    public bool TryTake(double perSecond, int size, out TimeSpan wait) => TryTake(1, perSecond, size, out wait);

    /// <summary>
    /// Takes all of the tokens or none. Returns false, and the time until there are enough, if there are too few. There are never more than
    /// <paramref name="size"/>.
    /// </summary>
    public bool TryTake(int tokens, double perSecond, int size, out TimeSpan wait)
    {
        var (ticksPerToken, cost) = (TicksOf(1, perSecond), TicksOf(tokens, perSecond));
        while (true)
        {
            var now = clock.GetTimestamp();
            var before = Volatile.Read(ref _fullAt);
            var after = Math.Max(before, now) + cost;
            var excess = after - now - (ticksPerToken * size);
            if (excess > 0)
            {
                wait = clock.GetElapsedTime(0, excess);
                return false;
            }

            if (Interlocked.CompareExchange(ref _fullAt, after, before) == before)
            {
                wait = TimeSpan.Zero;
                return true;
            }
        }
    }

    /// <summary>Takes tokens even if there are too few; the balance becomes negative. A negative number returns tokens.</summary>
    public void Charge(int tokens, double perSecond)
    {
        var cost = TicksOf(tokens, perSecond);
        while (true)
        {
            var before = Volatile.Read(ref _fullAt);
            if (Interlocked.CompareExchange(ref _fullAt, Math.Max(before, clock.GetTimestamp()) + cost, before) == before)
            {
                return;
            }
        }
    }

    /// <summary>Keeps the number of tokens when the rate changes. A rate of 0 is no limit: the bucket is full then.</summary>
    public void ChangeRate(double oldPerSecond, double newPerSecond)
    {
        var factor = newPerSecond > 0 ? oldPerSecond / newPerSecond : 0;
        while (true)
        {
            var now = clock.GetTimestamp();
            var before = Volatile.Read(ref _fullAt);
            var missing = Math.Max(0, before - now);
            if (Interlocked.CompareExchange(ref _fullAt, now + (long)(missing * factor), before) == before)
            {
                return;
            }
        }
    }

    private long TicksOf(int tokens, double perSecond) => (long)(clock.TimestampFrequency * tokens / perSecond);
}
