namespace LumaGateway.Redis;

/// <summary>Whether Redis is used, and when it last responded. Thread-safe.</summary>
internal sealed class RedisState(TimeProvider clock)
{
    private readonly bool[] _isUsable = [true, true]; // indexed by RedisUse
    private long _lastResponseAt = clock.GetTimestamp();

    /// <summary>Whether Redis is used for reads and writes.</summary>
    public bool IsUsable => IsUsableFor(RedisUse.Read) && IsUsableFor(RedisUse.Write);

    /// <summary>The time since the last successful step.</summary>
    public TimeSpan Silence => clock.GetElapsedTime(Volatile.Read(ref _lastResponseAt));

    public bool IsUsableFor(RedisUse use) => Volatile.Read(ref _isUsable[(int)use]);

    /// <summary>Returns true if the state changed.</summary>
    public bool SetUsable(RedisUse use, bool usable) => Interlocked.Exchange(ref _isUsable[(int)use], usable) != usable;

    public void RecordResponse() => Volatile.Write(ref _lastResponseAt, clock.GetTimestamp());
}
