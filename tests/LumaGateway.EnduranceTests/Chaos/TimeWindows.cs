namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>A set of time windows. Thread-safe.</summary>
internal sealed class TimeWindows(TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly List<(long From, long Until)> _windows = [];

    public bool Overlaps(long from, long until)
    {
        lock (_gate)
        {
            return _windows.Exists(window => from <= window.Until && until >= window.From);
        }
    }

    /// <summary>Runs an action and adds its time window, extended by <paramref name="after"/>.</summary>
    public async Task RecordAsync(Func<Task> act, TimeSpan after)
    {
        var started = clock.GetTimestamp();
        Set(started, long.MaxValue);
        try
        {
            await act();
        }
        finally
        {
            Set(started, clock.GetTimestamp() + (long)(after.TotalSeconds * clock.TimestampFrequency));
        }
    }

    private void Set(long from, long until)
    {
        lock (_gate)
        {
            _windows.RemoveAll(window => window.From == from);
            _windows.Add((from, until));
        }
    }
}
