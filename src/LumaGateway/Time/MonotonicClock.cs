namespace LumaGateway.Time;

/// <summary>
/// Time that passes at its own pace, for all that is to happen after so long: somebody may set the wall clock meanwhile. For what knows only a
/// <see cref="TimeProvider"/> it has a time of day too, which is right when the process starts. Thread-safe.
/// </summary>
internal sealed class MonotonicClock(TimeProvider clock) : TimeProvider
{
    private readonly DateTimeOffset _begunAt = clock.GetUtcNow();
    private readonly long _begun = clock.GetTimestamp();

    /// <summary>Since this clock was made.</summary>
    public TimeSpan Now => clock.GetElapsedTime(_begun);

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _begunAt + Now;

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);
}
