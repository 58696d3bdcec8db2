using System.Collections.Concurrent;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>
/// The accounts of the ids that were added last: at least <paramref name="capacity"/> ids, at most twice as many. Thread-safe.
/// </summary>
/// <param name="capacity">When the newer half has this many ids, it replaces the older half.</param>
internal sealed class RecentAccounts(int capacity)
{
    private volatile ConcurrentDictionary<GenerationId, UpstreamAccount> _newer = new();
    private volatile ConcurrentDictionary<GenerationId, UpstreamAccount> _older = new();
    private long _added;

    public UpstreamAccount? Find(GenerationId id) => _newer.TryGetValue(id, out var account) || _older.TryGetValue(id, out account) ? account : null;

    public void Add(GenerationId id, UpstreamAccount account)
    {
        if (!_newer.TryAdd(id, account))
        {
            _newer[id] = account;
        }
        else if (Interlocked.Increment(ref _added) % capacity == 0)
        {
            (_older, _newer) = (_newer, new());
        }
    }
}
