namespace LumaGateway.Status;

/// <summary>
/// How long something took over the last one to two minutes, in steps of a fifth: good enough to be looked at. Thread-safe; allocates nothing
/// when recording.
/// </summary>
internal sealed class Latencies(TimeProvider clock)
{
    private const double Shortest = 0.00005;
    private const double Step = 1.2;
    private const int Steps = 90; // up to ten minutes

    private readonly Lock _turning = new();
    private long[] _current = new long[Steps];
    private long[] _previous = new long[Steps];
    private long _minute;

    public void Record(double seconds)
    {
        Turn();
        var step = seconds <= Shortest ? 0 : (int)Math.Min(Math.Ceiling(Math.Log(seconds / Shortest, Step)), Steps - 1);
        Interlocked.Increment(ref Volatile.Read(ref _current)[step]);
    }

    /// <summary>In milliseconds; null where nothing was recorded lately.</summary>
    public LatencyBody? Read() => Read([this]);

    /// <summary>As <see cref="Read()"/>, of what several recorded.</summary>
    public static LatencyBody? Read(IEnumerable<Latencies> several)
    {
        var counts = new long[Steps];
        foreach (var one in several)
        {
            one.Turn();
            for (var i = 0; i < Steps; i++)
            {
                counts[i] += one._current[i] + one._previous[i];
            }
        }

        var total = counts.Sum();
        return total == 0 ? null : new LatencyBody(At(0.5), At(0.95), At(0.99));

        double At(double share)
        {
            var rest = (long)Math.Ceiling(total * share);
            var step = 0;
            while ((rest -= counts[step]) > 0)
            {
                step++;
            }

            return Math.Round(1000 * Shortest * Math.Pow(Step, step), 2);
        }
    }

    private void Turn()
    {
        var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        if (Volatile.Read(ref _minute) == minute)
        {
            return;
        }

        lock (_turning)
        {
            if (_minute != minute)
            {
                _previous = _minute == minute - 1 ? _current : new long[Steps];
                Volatile.Write(ref _current, new long[Steps]);
                Volatile.Write(ref _minute, minute);
            }
        }
    }
}
