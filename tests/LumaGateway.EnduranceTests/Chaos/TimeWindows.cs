namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The times during which something happened. Thread-safe.</summary>
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

    /// <summary>Adds the time of an action and a while after it.</summary>
    public async Task DuringAsync(Func<Task> act, TimeSpan after)
    {
        var begun = clock.GetTimestamp();
        Set(begun, long.MaxValue);
        try
        {
            await act();
        }
        finally
        {
            Set(begun, clock.GetTimestamp() + (long)(after.TotalSeconds * clock.TimestampFrequency));
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
