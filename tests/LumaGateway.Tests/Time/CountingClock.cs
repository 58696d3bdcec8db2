using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Time;

/// <summary>A fake clock that counts the timers created on it.</summary>
internal sealed class CountingClock : FakeTimeProvider
{
    public int Timers { get; private set; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Timers++;
        return base.CreateTimer(callback, state, dueTime, period);
    }
}
