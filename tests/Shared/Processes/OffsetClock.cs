namespace LumaGateway.Tests.Shared.Processes;

/// <summary>The system clock plus an offset. Timers run in real time. Thread-safe.</summary>
internal sealed class OffsetClock : TimeProvider
{
    private long _offsetTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;

    public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Offset.Ticks;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _offsetTicks, by.Ticks);

    private TimeSpan Offset => new(Volatile.Read(ref _offsetTicks));
}
