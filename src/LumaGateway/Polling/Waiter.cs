using System.Threading.Tasks.Sources;
using LumaGateway.Access;

namespace LumaGateway.Polling;

/// <summary>
/// One caller that waits. It costs this object and no timer, task or token of its own: whoever has something for it sets a signal. Signals may
/// come from anywhere at any time; one consumer awaits them.
/// </summary>
internal sealed class Waiter(Client? client, WaiterKind kind, TimeSpan since, TimeSpan endsAt) : IValueTaskSource<WaiterSignals>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<WaiterSignals> _source = new() { RunContinuationsAsynchronously = true };
    private WaiterSignals _pending;
    private bool _isAwaited;
    private long _quietSince = since.Ticks;

    /// <summary>Whose waiting place it holds.</summary>
    public Client? Client => client;

    public WaiterKind Kind => kind;

    /// <summary>When it came, by <see cref="Time.MonotonicClock"/>, as all times here.</summary>
    public TimeSpan Since => since;

    public TimeSpan EndsAt => endsAt;

    /// <summary>When something was last sent to it.</summary>
    public TimeSpan QuietSince => new(Volatile.Read(ref _quietSince));

    public void SentAt(TimeSpan now) => Volatile.Write(ref _quietSince, now.Ticks);

    public void Signal(WaiterSignals signals)
    {
        lock (_gate)
        {
            _pending |= signals;
            if (!_isAwaited)
            {
                return;
            }

            _isAwaited = false;
            (signals, _pending) = (_pending, WaiterSignals.None);
        }

        _source.SetResult(signals);
    }

    /// <summary>The signals set since the last time; waits for one where there is none.</summary>
    public ValueTask<WaiterSignals> NextAsync()
    {
        lock (_gate)
        {
            if (_pending is not WaiterSignals.None)
            {
                var pending = _pending;
                _pending = WaiterSignals.None;
                return ValueTask.FromResult(pending);
            }

            _source.Reset();
            _isAwaited = true;
            return new ValueTask<WaiterSignals>(this, _source.Version);
        }
    }

    WaiterSignals IValueTaskSource<WaiterSignals>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<WaiterSignals>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<WaiterSignals>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}

/// <summary>How a caller waits. The set is closed: it is a metric's attribute.</summary>
internal enum WaiterKind
{
    /// <summary>For one answer.</summary>
    Answer,

    /// <summary>On a stream of events.</summary>
    Stream,
}
