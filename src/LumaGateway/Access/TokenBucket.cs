namespace LumaGateway.Access;

/// <summary>
/// A token bucket kept as one number, the time at which it will be full again (the generic cell rate algorithm of ITU-T I.371). Thread-safe;
/// never waits and allocates nothing.
/// </summary>
internal sealed class TokenBucket(TimeProvider clock)
{
    private long _fullAt = clock.GetTimestamp();

    public bool IsFull => Volatile.Read(ref _fullAt) <= clock.GetTimestamp();

    /// <summary>Takes one token, or says how long it is until there is one.</summary>
    public bool TryTake(int perSecond, int size, out TimeSpan wait) => TryTake(1, perSecond, size, out wait);

    /// <summary>Takes all of so many tokens, or none and says how long it is until there are so many. More than <paramref name="size"/> are never there.</summary>
    public bool TryTake(int tokens, int perSecond, int size, out TimeSpan wait)
    {
        var (each, cost) = (TicksOf(1, perSecond), TicksOf(tokens, perSecond));
        while (true)
        {
            var now = clock.GetTimestamp();
            var before = Volatile.Read(ref _fullAt);
            var after = Math.Max(before, now) + cost;
            var excess = after - now - (each * size);
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

    /// <summary>Takes tokens whether they are there or not: what is missing is paid before the next one is given. Fewer than none: gives back what was taken.</summary>
    public void Owe(int tokens, int perSecond)
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

    private long TicksOf(int tokens, int perSecond) => clock.TimestampFrequency * tokens / perSecond;
}
