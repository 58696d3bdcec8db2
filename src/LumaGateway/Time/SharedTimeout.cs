namespace LumaGateway.Time;

/// <summary>
/// A timeout for many operations. Those that start within the same 1/32 of the timeout share one timer, so that an operation that ends in time costs no
/// timer. Thread-safe.
/// </summary>
internal sealed class SharedTimeout(TimeSpan timeout, TimeProvider clock)
{
    private const int TimersPerTimeout = 32;

    private SharedTimer? _current;

    /// <summary>Returns a token that is cancelled between 31/32 of the timeout and the whole of it from now.</summary>
    /// <param name="timerStartedAt">When the timer of the token started, as a timestamp of the clock.</param>
    public CancellationToken GetToken(out long timerStartedAt)
    {
        var current = Volatile.Read(ref _current);
        if (current is null || clock.GetElapsedTime(current.StartedAt) >= timeout / TimersPerTimeout)
        {
            // Two threads may both create a timer. Both tokens are valid.
            current = new SharedTimer(clock.GetTimestamp(), new CancellationTokenSource(timeout, clock).Token);
            Volatile.Write(ref _current, current);
        }

        timerStartedAt = current.StartedAt;
        return current.Token;
    }

    private sealed record SharedTimer(long StartedAt, CancellationToken Token);
}
