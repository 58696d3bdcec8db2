using System.Diagnostics;

namespace LumaGateway.Status;

/// <summary>The latest upstream faults and their trace ids. Thread-safe.</summary>
internal sealed class RecentFaults(TimeProvider clock)
{
    private const int MaxFaults = 12;

    private readonly Lock _gate = new();
    private readonly Queue<FaultBody> _faults = new();

    /// <summary>Must be called in the trace of the fault: takes the trace id from <see cref="Activity.Current"/>.</summary>
    public void Add(string kind)
    {
        var fault = new FaultBody(clock.GetUtcNow(), kind, Activity.Current?.TraceId.ToHexString());
        lock (_gate)
        {
            _faults.Enqueue(fault);
            if (_faults.Count > MaxFaults)
            {
                _faults.Dequeue();
            }
        }
    }

    /// <summary>The latest fault first.</summary>
    public IReadOnlyList<FaultBody> Read()
    {
        lock (_gate)
        {
            return [.. _faults.Reverse()];
        }
    }
}
