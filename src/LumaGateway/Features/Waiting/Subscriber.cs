using System.Threading.Tasks.Sources;
using LumaGateway.Access;

namespace LumaGateway.Features.Waiting;

/// <summary>
/// One caller that waits. It costs this object and no timer, task or token of its own: whoever has something for it sets a signal. Signals may
/// come from anywhere at any time; one consumer awaits them.
/// </summary>
internal sealed class Subscriber(Client? client, WaiterKind kind, TimeSpan since, TimeSpan endsAt) : IValueTaskSource<Signals>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<Signals> _source = new() { RunContinuationsAsynchronously = true };
    private Signals _pending;
    private bool _isAwaited;
    private long _quietSince = since.Ticks;

    /// <summary>Whose waiting place it holds.</summary>
    public Client? Client => client;

    public WaiterKind Kind => kind;

    /// <summary>When it came, by <see cref="Contracts.SteadyClock"/>, as all times here.</summary>
    public TimeSpan Since => since;

    public TimeSpan EndsAt => endsAt;

    /// <summary>When something was last sent to it.</summary>
    public TimeSpan QuietSince => new(Volatile.Read(ref _quietSince));

    public void SentAt(TimeSpan now) => Volatile.Write(ref _quietSince, now.Ticks);

    public void Signal(Signals signals)
    {
        lock (_gate)
        {
            _pending |= signals;
            if (!_isAwaited)
            {
                return;
            }

            _isAwaited = false;
            (signals, _pending) = (_pending, Signals.None);
        }

        _source.SetResult(signals);
    }

    /// <summary>The signals set since the last time; waits for one where there is none.</summary>
    public ValueTask<Signals> NextAsync()
    {
        lock (_gate)
        {
            if (_pending is not Signals.None)
            {
                var pending = _pending;
                _pending = Signals.None;
                return ValueTask.FromResult(pending);
            }

            _source.Reset();
            _isAwaited = true;
            return new ValueTask<Signals>(this, _source.Version);
        }
    }

    Signals IValueTaskSource<Signals>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Signals>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<Signals>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
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
