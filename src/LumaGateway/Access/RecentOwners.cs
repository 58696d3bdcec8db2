using System.Collections.Concurrent;
using LumaGateway.Contracts;

namespace LumaGateway.Access;

/// <summary>
/// The groups of the generations that clients were recently allowed to see, in memory: at most <see cref="MaxIds"/>. The group of a generation never changes, so an entry is never
/// wrong. Thread-safe.
/// </summary>
internal sealed class RecentOwners
{
    /// <summary>About 20 MiB.</summary>
    public const int MaxIds = 100_000;

    private readonly Lock _gate = new();
    private volatile ConcurrentDictionary<GenerationId, string> _recent = new();
    private volatile ConcurrentDictionary<GenerationId, string> _older = new();
    private int _count;

    /// <summary>Whether the generation is known to belong to the group. False if it is not known.</summary>
    public bool IsOwnedBy(GenerationId id, string group)
    {
        if (_recent.TryGetValue(id, out var owner))
        {
            return owner == group;
        }

        if (!_older.TryGetValue(id, out owner))
        {
            return false;
        }

        Add(id, owner);
        return owner == group;
    }

    /// <summary>Half of the ids are dropped when there are too many: those that were not used since the last time.</summary>
    public void Add(GenerationId id, string group)
    {
        if (!_recent.TryAdd(id, group) || Interlocked.Increment(ref _count) < MaxIds / 2)
        {
            return;
        }

        lock (_gate)
        {
            if (_count >= MaxIds / 2)
            {
                (_older, _recent, _count) = (_recent, new(), 0);
            }
        }
    }
}
