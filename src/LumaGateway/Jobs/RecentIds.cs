using System.Collections.Concurrent;
using LumaGateway.Contracts;

namespace LumaGateway.Jobs;

/// <summary>The ids that were added last: at least <paramref name="capacity"/> ids, at most twice as many. Thread-safe.</summary>
/// <param name="capacity">When the newer half has this many ids, it replaces the older half.</param>
internal sealed class RecentIds(int capacity)
{
    private volatile ConcurrentDictionary<GenerationId, bool> _newer = new();
    private volatile ConcurrentDictionary<GenerationId, bool> _older = new();
    private long _added;

    /// <summary>Adds an id. Returns false if it is there already.</summary>
    public bool TryAdd(GenerationId id)
    {
        if (_older.ContainsKey(id) || !_newer.TryAdd(id, true))
        {
            return false;
        }

        if (Interlocked.Increment(ref _added) % capacity == 0)
        {
            (_older, _newer) = (_newer, new());
        }

        return true;
    }
}
