namespace LumaGateway.Time;

/// <summary>
/// The one point in time by which a request's whole way (waiting for another's fetch, fetching, retrying) must be over.
/// <see cref="Token"/> fires when it passes.
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

    /// <summary>Time left, never negative.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = _length - _clock.GetElapsedTime(_start);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    public void Dispose() => _source.Dispose();
}
