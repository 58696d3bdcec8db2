using System.Threading.Tasks.Sources;
using LumaGateway.Access;

namespace LumaGateway.Polling;

/// <summary>
/// One caller that waits. It is also the awaitable source of its signals, so a waiter allocates no timer, task or token. Any thread may signal; only
/// one consumer may await.
/// </summary>
/// <param name="client">The client whose share of <c>Waiting:Max</c> the waiter counts against.</param>
/// <param name="kind">How it waits.</param>
/// <param name="since">When it started, by <see cref="Time.MonotonicClock"/>, as all times here.</param>
/// <param name="endsAt">When its wait ends.</param>
internal sealed class Waiter(Client? client, WaiterKind kind, TimeSpan since, TimeSpan endsAt) : IValueTaskSource<WaiterSignals>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<WaiterSignals> _source = new() { RunContinuationsAsynchronously = true };
    private WaiterSignals _pending;
    private bool _isAwaited;
    private long _lastSentAt = since.Ticks;

    public Client? Client => client;

    public WaiterKind Kind => kind;

    public TimeSpan Since => since;

    public TimeSpan EndsAt => endsAt;

    public TimeSpan LastSentAt => new(Volatile.Read(ref _lastSentAt));

    public void MarkSent(TimeSpan now) => Volatile.Write(ref _lastSentAt, now.Ticks);

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

    /// <summary>All signals since the last call. Completes when there is at least one.</summary>
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
    /// <summary>A long poll: <c>Prefer: wait</c>.</summary>
    LongPoll,

    /// <summary>Server-sent events.</summary>
    Stream,
}
