using System.Diagnostics;

namespace LumaGateway.Status;

/// <summary>The latest faults of the upstream with the traces in which they happened. Thread-safe.</summary>
internal sealed class LastFaults(TimeProvider clock)
{
    private const int Most = 12;

    private readonly Lock _gate = new();
    private readonly Queue<FaultBody> _faults = new();

    /// <summary>To be called where it happens: the trace is the one at hand.</summary>
    public void Add(string kind)
    {
        var fault = new FaultBody(clock.GetUtcNow(), kind, Activity.Current?.TraceId.ToHexString());
        lock (_gate)
        {
            _faults.Enqueue(fault);
            if (_faults.Count > Most)
            {
                _faults.Dequeue();
            }
        }
    }

    public IReadOnlyList<FaultBody> Read()
    {
        lock (_gate)
        {
            return [.. _faults.Reverse()];
        }
    }
}
