namespace LumaGateway.Time;

/// <summary>
/// A timeout for many operations, with one timer for all that start within an eighth of it: an operation that ends in time costs no timer. Thread-safe.
/// </summary>
internal sealed class SharedTimeout(TimeSpan timeout, TimeProvider clock)
{
    private const int Parts = 8;

    private Part? _current;

    /// <summary>Returns a token that is cancelled between seven eighths of the timeout and the whole of it from now.</summary>
    public CancellationToken Start()
    {
        var current = Volatile.Read(ref _current);
        if (current is null || clock.GetElapsedTime(current.StartedAt) >= timeout / Parts)
        {
            // Two threads may both start a part; each token is cancelled in time.
            current = new Part(clock.GetTimestamp(), new CancellationTokenSource(timeout, clock).Token);
            Volatile.Write(ref _current, current);
        }

        return current.Token;
    }

    private sealed record Part(long StartedAt, CancellationToken Token);
}
