namespace LumaGateway.Time;

/// <summary>
/// The time limit of an operation with all its waits, fetches and retries. <see cref="Token"/> is canceled when it passes.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly TimeSpan _length;
    private readonly long _start;
    private readonly CancellationTokenSource _source;

    public Deadline(TimeSpan length, TimeProvider clock)
    {
        _clock = clock;
        _length = length;
        _start = clock.GetTimestamp();
        _source = new CancellationTokenSource(length, clock);
    }

    public CancellationToken Token => _source.Token;

    public bool HasPassed => _source.IsCancellationRequested || Remaining == TimeSpan.Zero;

    /// <summary>The remaining time, never negative.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var remaining = _length - _clock.GetElapsedTime(_start);
            return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
        }
    }

    public void Dispose() => _source.Dispose();
}
