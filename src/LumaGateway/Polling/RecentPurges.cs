using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// The last purges, for <c>Luma:Deadline</c> and two seconds. A fetch that a purge overlaps ends within that time, and returns a state from before the purge. Holds at most
/// <see cref="MaxCount"/> ids; further purges are not remembered. Thread-safe.
/// </summary>
internal sealed class RecentPurges(IOptions<LumaOptions> luma, TimeProvider clock)
{
    private const int MaxCount = 10_000;

    private readonly ConcurrentDictionary<GenerationId, DateTimeOffset> _purgedAt = new();
    private int _count;

    public void Add(GenerationId key)
    {
        var now = clock.GetUtcNow();
        if (Volatile.Read(ref _count) >= MaxCount)
        {
            RemoveOld(now);
        }

        if (Volatile.Read(ref _count) >= MaxCount && !_purgedAt.ContainsKey(key))
        {
            return;
        }

        if (_purgedAt.TryAdd(key, now))
        {
            Interlocked.Increment(ref _count);
        }
        else
        {
            _purgedAt[key] = now;
        }
    }

    /// <summary>
    /// Whether an entry was requested before the last purge of its key. False once <c>Luma:Deadline</c> has passed since the purge: no fetch from before it runs any more, and an earlier time
    /// only means that the clocks of replicas differ.
    /// </summary>
    public bool IsFromBefore(CacheEntry entry) =>
        FindPurge(entry.Key) is { } purgedAt && entry.RequestedAt < purgedAt && clock.GetUtcNow() < purgedAt + luma.Value.Deadline;

    /// <summary>
    /// Whether an entry that another replica sent may be from before a purge, which its sender may not have received: the entry is older than the purges that are remembered, or was requested before
    /// the last purge of its key or less than two seconds after it. The clock of the sender may be ahead.
    /// </summary>
    public bool MayBeFromBefore(CacheEntry entry) =>
        CacheEntry.LatestCredible(entry.RequestedAt) + luma.Value.Deadline < clock.GetUtcNow()
        || (FindPurge(entry.Key) is { } purgedAt && entry.RequestedAt < CacheEntry.LatestCredible(purgedAt));

    /// <summary>The time of the last purge; null if there was none, or the clock was set back since.</summary>
    private DateTimeOffset? FindPurge(GenerationId key) => _purgedAt.TryGetValue(key, out var purgedAt) && purgedAt <= clock.GetUtcNow() ? purgedAt : null;

    private void RemoveOld(DateTimeOffset now)
    {
        foreach (var pair in _purgedAt)
        {
            if ((pair.Value > now || CacheEntry.LatestCredible(pair.Value) + luma.Value.Deadline <= now) && _purgedAt.TryRemove(pair))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }
}
