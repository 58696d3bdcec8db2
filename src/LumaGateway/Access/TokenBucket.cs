namespace LumaGateway.Access;

/// <summary>
/// A token bucket, stored as the time at which it is full again (the generic cell rate algorithm of ITU-T I.371). Thread-safe; does not block and does not
/// allocate.
/// </summary>
internal sealed class TokenBucket(TimeProvider clock)
{
    private long _fullAt = clock.GetTimestamp();

    public bool IsFull => Volatile.Read(ref _fullAt) <= clock.GetTimestamp();

    /// <summary>Takes one token. If the bucket is empty, <paramref name="wait"/> is the time until it has one.</summary>
    public bool TryTake(int perSecond, int size, out TimeSpan wait) => TryTake(1, perSecond, size, out wait);

    /// <summary>Takes all of the tokens, or none; then <paramref name="wait"/> is the time until the bucket has enough. It never has more than <paramref name="size"/>.</summary>
    public bool TryTake(int tokens, int perSecond, int size, out TimeSpan wait)
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

    /// <summary>Takes tokens even if the bucket has too few: later calls of <c>TryTake</c> wait longer. A negative number returns tokens.</summary>
    public void Charge(int tokens, int perSecond)
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
