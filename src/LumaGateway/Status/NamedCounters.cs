using System.Collections.Concurrent;

namespace LumaGateway.Status;

/// <summary>Counters by name. The names come from closed sets, so their number is bounded. Thread-safe; allocates only for a new name.</summary>
internal sealed class NamedCounters
{
    private readonly ConcurrentDictionary<string, long[]> _counts = new(StringComparer.Ordinal);

    public void Add(string name, long count) => Interlocked.Add(ref _counts.GetOrAdd(name, static _ => new long[1])[0], count);

    public long Of(string name) => _counts.TryGetValue(name, out var count) ? Volatile.Read(ref count[0]) : 0;

    public IReadOnlyDictionary<string, long> Read() =>
        _counts.ToDictionary(one => one.Key, one => Volatile.Read(ref one.Value[0]), StringComparer.Ordinal);
}
