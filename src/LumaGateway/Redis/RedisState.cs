namespace LumaGateway.Redis;

/// <summary>Whether Redis is used, when it last responded, and since when this replica receives the messages of the others. Thread-safe.</summary>
internal sealed class RedisState(TimeProvider clock)
{
    private readonly bool[] _isUsable = [true, true]; // indexed by RedisUse
    private long _lastResponseAt = clock.GetTimestamp();
    private long _receivesSince = long.MinValue;

    /// <summary>Whether Redis is used for reads and writes.</summary>
    public bool IsUsable => IsUsableFor(RedisUse.Read) && IsUsableFor(RedisUse.Write);

    /// <summary>The time since the last successful step.</summary>
    public TimeSpan IdleTime => clock.GetElapsedTime(Volatile.Read(ref _lastResponseAt));

    public bool IsUsableFor(RedisUse use) => Volatile.Read(ref _isUsable[(int)use]);

    /// <summary>Returns true if the state changed.</summary>
    public bool SetUsable(RedisUse use, bool usable) => Interlocked.Exchange(ref _isUsable[(int)use], usable) != usable;

    /// <summary>
    /// Since when this replica receives all messages, as a timestamp of the clock. It may have missed a purge of anything that it read before.
    /// <see cref="long.MinValue"/> while it receives none.
    /// </summary>
    public long ReceivesSince => Volatile.Read(ref _receivesSince);

    public void StartReceiving() => Volatile.Write(ref _receivesSince, clock.GetTimestamp());

    public void StopReceiving() => Volatile.Write(ref _receivesSince, long.MinValue);

    public void RecordResponse() => Volatile.Write(ref _lastResponseAt, clock.GetTimestamp());
}
