using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Redis;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Internal;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>Cache entries in this process, limited by bytes. Thread-safe.</summary>
internal sealed class MemoryTier(IOptions<CacheOptions> options, RedisState state, TimeProvider clock) : IDisposable
{
    /// <summary>The approximate size of an <see cref="UnstoredFinal"/> in memory, bytes.</summary>
    private const int UnstoredSize = 256;

    private readonly MemoryCache _cache = new(new MemoryCacheOptions
    {
        SizeLimit = options.Value.MemoryBytes,
        CompactionPercentage = 0.2, // a compaction visits all entries: if it freed less, there would be more compactions
        Clock = new SystemClock(clock), // the clock that also decides freshness
    });

    private readonly Lock _setLock = new();

    public MemoryEntry? Find(GenerationId key) => _cache.TryGetValue(key.Value, out var cached) ? cached as MemoryEntry : null;

    /// <summary>
    /// Stores an entry unless the stored one <see cref="CacheEntry.Outranks"/> it, or it <see cref="IsOutdated"/>. Returns the stored entry, or the one that was not stored.
    /// </summary>
    public MemoryEntry Set(MemoryEntry candidate)
    {
        var key = candidate.Entry.Key;
        var now = clock.GetUtcNow();
        lock (_setLock)
        {
            if (Find(key) is { } current && current.Entry.Outranks(candidate.Entry, now))
            {
                return current;
            }

            if (IsOutdated(candidate.Entry))
            {
                return candidate;
            }

            candidate.ContinueFrom(Find(key));

            // Freshness is a field of the entry; this expiry only frees memory.
            var expiresAt = candidate.Entry.Kind is EntryKind.Final ? candidate.Entry.StaleUntil : candidate.Entry.FreshUntil;
            var lifetime = expiresAt - now;
            if (lifetime > TimeSpan.Zero)
            {
                Put(key, candidate, candidate.Entry.Size, lifetime);
            }

            return candidate;
        }
    }

    /// <summary>
    /// Returns when an entry stored now must be verified in Redis, as a timestamp of the clock: a change of the wall clock does not move it.
    /// </summary>
    /// <param name="hasRedis">Whether Redis is configured. Without Redis an entry is never verified.</param>
    public long VerifyAt(bool hasRedis) =>
        hasRedis ? clock.GetTimestamp() + (long)(options.Value.MemoryLifetime.TotalSeconds * clock.TimestampFrequency) : long.MaxValue;

    /// <summary>Whether an entry can be served without a lookup in Redis.</summary>
    public bool CanServe(MemoryEntry cached, DateTimeOffset now) => cached.Entry.IsFresh(now) && IsVerified(cached);

    /// <summary>Whether an entry was verified within <c>Cache:MemoryLifetime</c>, and since this replica receives the purges of the others.</summary>
    public bool IsVerified(MemoryEntry cached) => clock.GetTimestamp() < cached.VerifyAt && cached.VerifiedAt >= state.ReceivesSince;

    /// <summary>
    /// True if this replica has had a final entry that was requested later, and does not store it any more: callers have seen it. False for a final entry.
    /// </summary>
    public bool IsOutdated(CacheEntry entry) =>
        entry.Kind is not EntryKind.Final && _cache.TryGetValue(entry.Key.Value, out var cached) && cached is UnstoredFinal final && entry.RequestedAt < final.RequestedAt;

    /// <summary>Whether this replica has had an entry that is kept instead of <paramref name="entry"/>: one in memory, or a final one that it does not store.</summary>
    public bool HasNewer(CacheEntry entry) => Find(entry.Key) is { } cached ? cached.Entry.Outranks(entry, clock.GetUtcNow()) : IsOutdated(entry);

    /// <summary>Removes the entry of a key. Keeps the request time of a final entry, for <see cref="IsOutdated"/>.</summary>
    public void Remove(GenerationId key)
    {
        lock (_setLock)
        {
            if (Find(key) is { } cached)
            {
                Remove(cached);
            }
        }
    }

    /// <summary>As <see cref="Remove(GenerationId)"/>, but does nothing if another entry of the key is stored by now.</summary>
    public void Remove(MemoryEntry cached)
    {
        lock (_setLock)
        {
            if (ReferenceEquals(Find(cached.Entry.Key), cached))
            {
                _cache.Remove(cached.Entry.Key.Value);
                NoteUnstored(cached.Entry);
            }
        }
    }

    /// <summary>Keeps the request time of a final entry that was fetched and is not stored, for <see cref="IsOutdated"/>. Does nothing for another entry.</summary>
    public void NoteUnstored(CacheEntry entry)
    {
        var isCredible = entry.RequestedAt <= CacheEntry.LatestCredible(clock.GetUtcNow()); // a request time in the future is ignored
        lock (_setLock)
        {
            if (entry.Kind is EntryKind.Final && isCredible && Find(entry.Key) is not { Entry.Kind: EntryKind.Final })
            {
                Put(entry.Key, new UnstoredFinal(entry.RequestedAt), UnstoredSize, RedisEntries.InterimRetention);
            }
        }
    }

    public void Dispose() => _cache.Dispose();

    private void Put(GenerationId key, object value, long size, TimeSpan lifetime)
    {
        using var cacheEntry = _cache.CreateEntry(key.Value);
        cacheEntry.Value = value;
        cacheEntry.Size = size;
        cacheEntry.AbsoluteExpirationRelativeToNow = lifetime;
    }

    /// <summary>A final entry that this replica has had and does not store.</summary>
    private sealed record UnstoredFinal(DateTimeOffset RequestedAt);

    private sealed class SystemClock(TimeProvider clock) : ISystemClock
    {
        public DateTimeOffset UtcNow => clock.GetUtcNow();
    }
}

/// <summary>A cache entry with the state that only this process has. Thread-safe.</summary>
/// <param name="entry">The entry.</param>
/// <param name="verifyAt">When the entry must be verified in Redis before it is served again, as a timestamp of the clock.</param>
/// <param name="token">The key's invalidation token when the entry was fetched or read.</param>
/// <param name="verifiedAt">
/// When the entry was last verified, as a timestamp of the clock: the start of its fetch, or of the read that found it or its token unchanged in Redis.
/// </param>
internal sealed class MemoryEntry(CacheEntry entry, long verifyAt, string? token, long verifiedAt)
{
    private long _refreshFrom;
    private volatile StaleReason? _staleReason;

    public CacheEntry Entry => entry;

    public long VerifyAt => verifyAt;

    public string? InvalidationToken => token;

    public long VerifiedAt => verifiedAt;

    /// <summary>Why the entry is served stale since its last refresh failed; null if it did not fail.</summary>
    public StaleReason? StaleReason => _staleReason;

    /// <summary>Takes over the state of refreshes if <paramref name="current"/> is the same entry, which was only verified again.</summary>
    public void ContinueFrom(MemoryEntry? current)
    {
        if (current is not null && current.Entry.Kind == entry.Kind && current.Entry.RequestedAt == entry.RequestedAt)
        {
            Volatile.Write(ref _refreshFrom, Volatile.Read(ref current._refreshFrom));
            _staleReason = current._staleReason;
        }
    }

    public void MarkStale(UpstreamException? fault, DateTimeOffset retryAt)
    {
        Volatile.Write(ref _refreshFrom, retryAt.UtcTicks);
        _staleReason = new StaleReason(fault);
    }

    /// <summary>True for one caller, which refreshes the entry. The next caller gets true at <paramref name="nextAt"/>.</summary>
    public bool TryClaimRefresh(DateTimeOffset now, DateTimeOffset nextAt)
    {
        var from = Volatile.Read(ref _refreshFrom);
        return now.UtcTicks >= from && Interlocked.CompareExchange(ref _refreshFrom, nextAt.UtcTicks, from) == from;
    }
}

/// <summary>Why a stale entry is served.</summary>
/// <param name="Fault">The upstream's fault; null if the upstream returned an interim state for a final generation.</param>
internal sealed record StaleReason(UpstreamException? Fault);
