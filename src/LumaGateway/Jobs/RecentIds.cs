using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using LumaGateway.Contracts;

namespace LumaGateway.Jobs;

/// <summary>A value for each of the ids that were added last: at least <paramref name="capacity"/> ids, at most twice as many. Thread-safe.</summary>
/// <typeparam name="T">The type of the values.</typeparam>
/// <param name="capacity">When the newer half has this many ids, it replaces the older half.</param>
internal sealed class RecentIds<T>(int capacity)
{
    private volatile ConcurrentDictionary<GenerationId, T> _newer = new();
    private volatile ConcurrentDictionary<GenerationId, T> _older = new();
    private long _added;

    public bool TryGet(GenerationId id, [MaybeNullWhen(false)] out T value) => _newer.TryGetValue(id, out value) || _older.TryGetValue(id, out value);

    /// <summary>Adds an id to the newer half, or replaces its value there. Returns false if the id was in the newer half already.</summary>
    public bool Set(GenerationId id, T value)
    {
        if (!_newer.TryAdd(id, value))
        {
            _newer[id] = value;
            return false;
        }

        if (Interlocked.Increment(ref _added) % capacity == 0)
        {
            (_older, _newer) = (_newer, new());
        }

        return true;
    }
}
