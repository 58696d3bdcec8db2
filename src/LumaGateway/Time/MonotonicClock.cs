namespace LumaGateway.Time;

/// <summary>
/// A clock that changes of the wall clock do not affect, for timeouts and delays. Its UTC time is the wall clock at the start of the process plus the elapsed
/// time. Thread-safe.
/// </summary>
internal sealed class MonotonicClock(TimeProvider clock) : TimeProvider
{
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();
    private readonly long _started = clock.GetTimestamp();

    /// <summary>The time since this clock was created.</summary>
    public TimeSpan Now => clock.GetElapsedTime(_started);

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _startedAt + Now;

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);
}
