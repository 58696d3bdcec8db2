namespace LumaGateway.Status;

/// <summary>
/// A histogram of the last one to two minutes. Each bucket is 20 % wider than the one before. Thread-safe; <see cref="Record"/> allocates
/// nothing.
/// </summary>
internal sealed class LatencyHistogram(TimeProvider clock)
{
    private const double FirstBound = 0.00005;
    private const double Growth = 1.2;
    private const int BucketCount = 90; // the last bound is about ten minutes

    private readonly Lock _rotating = new();
    private long[] _current = new long[BucketCount];
    private long[] _previous = new long[BucketCount];
    private long _minute;

    public void Record(double seconds)
    {
        Rotate();
        var bucket = seconds <= FirstBound ? 0 : (int)Math.Min(Math.Ceiling(Math.Log(seconds / FirstBound, Growth)), BucketCount - 1);
        Interlocked.Increment(ref Volatile.Read(ref _current)[bucket]);
    }

    /// <summary>The percentiles in milliseconds; null if nothing was recorded.</summary>
    public LatencyBody? Read() => Read([this]);

    /// <summary>The percentiles of several histograms, as <see cref="Read()"/>.</summary>
    public static LatencyBody? Read(IEnumerable<LatencyHistogram> histograms)
    {
        var counts = new long[BucketCount];
        foreach (var histogram in histograms)
        {
            histogram.Rotate();
            for (var i = 0; i < BucketCount; i++)
            {
                counts[i] += histogram._current[i] + histogram._previous[i];
            }
        }

        var total = counts.Sum();
        return total == 0 ? null : new LatencyBody(Percentile(0.5), Percentile(0.95), Percentile(0.99));

        double Percentile(double share)
        {
            var rest = (long)Math.Ceiling(total * share);
            var bucket = 0;
            while ((rest -= counts[bucket]) > 0)
            {
                bucket++;
            }

            return Math.Round(1000 * FirstBound * Math.Pow(Growth, bucket), 2);
        }
    }

    private void Rotate()
    {
        var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        if (Volatile.Read(ref _minute) == minute)
        {
            return;
        }

        lock (_rotating)
        {
            if (_minute != minute)
            {
                _previous = _minute == minute - 1 ? _current : new long[BucketCount];
                Volatile.Write(ref _current, new long[BucketCount]);
                Volatile.Write(ref _minute, minute);
            }
        }
    }
}
