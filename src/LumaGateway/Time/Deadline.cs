namespace LumaGateway.Time;

/// <summary>
/// The time limit of an operation with all its waits, fetches and retries. <see cref="Token"/> is canceled when it passes. Not thread-safe.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly TimeSpan _length;
    private readonly long _start;
    private CancellationTokenSource? _source;

    public Deadline(TimeSpan length, TimeProvider clock)
    {
        _clock = clock;
        _length = length;
        _start = clock.GetTimestamp();
    }

    /// <summary>The timer starts with the first use: most operations end without one.</summary>
    public CancellationToken Token => (_source ??= new CancellationTokenSource(Remaining, _clock)).Token;

    /// <summary>The remaining time, never negative.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var remaining = _length - _clock.GetElapsedTime(_start);
            return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
        }
    }

    public void Dispose() => _source?.Dispose();
}
