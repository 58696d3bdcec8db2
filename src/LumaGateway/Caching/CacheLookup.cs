using LumaGateway.Contracts;

namespace LumaGateway.Caching;

/// <summary>
/// Looks up one key in memory and in Redis, and returns the better entry. Stores it in memory, unless the fetch was invalidated. Thread-safe.
/// </summary>
internal sealed class CacheLookup(MemoryTier memory, RedisTier redis, TimeProvider clock)
{
    /// <summary>
    /// Looks up memory, then Redis. The command that reads Redis also acquires the lock, unless there is a final entry or another replica holds the lock. The caller disposes
    /// of the lock.
    /// </summary>
    public async ValueTask<(LockResult Lock, Result Result)> LookUpAsync(SingleFlight<CacheResult>.InFlightFetch fetch, Func<CacheEntry, DateTimeOffset, bool>? accepts)
    {
        if (FindInMemory(fetch, accepts) is { } verified)
        {
            return (LockResult.Unreached, verified);
        }

        var before = Observe(fetch.Key);
        if (!redis.IsConfigured)
        {
            return (LockResult.Unreached, await ChooseAsync(fetch, before, default, accepts));
        }

        var attempt = await redis.TryAcquireLockAsync(fetch.Key, isFirst: true);
        try
        {
            // A read-only or full Redis refuses the lock, but can be read.
            return (attempt, await ChooseAsync(fetch, before, attempt.IsReached ? attempt.View : await redis.ReadAsync(fetch.Key), accepts));
        }
        catch
        {
            attempt.Lock?.Dispose();
            throw;
        }
    }

    /// <summary>Reads both entries and the token from Redis, whatever memory has.</summary>
    public async ValueTask<Result> ReadAgainAsync(SingleFlight<CacheResult>.InFlightFetch fetch, Func<CacheEntry, DateTimeOffset, bool>? accepts)
    {
        var before = Observe(fetch.Key);
        return await ChooseAsync(fetch, before, await redis.ReadAsync(fetch.Key, extendTimeout: true), accepts);
    }

    /// <summary>To be called before a read from Redis that is passed to <see cref="ChooseAsync"/>.</summary>
    public Observation Observe(GenerationId key) => new(memory.Find(key), clock.GetTimestamp());

    /// <summary>Returns the entry in memory if it is fresh enough and verified.</summary>
    public Result? FindInMemory(SingleFlight<CacheResult>.InFlightFetch fetch, Func<CacheEntry, DateTimeOffset, bool>? accepts) =>
        memory.Find(fetch.Key) is { } cached && IsFreshEnough(cached.Entry, clock.GetUtcNow(), accepts) && memory.IsVerified(cached)
            ? new Result(cached.Entry, cached.InvalidationToken, IsReached: false, new CacheResult(cached.Entry, CacheStatus.Hit, CacheTier.Memory))
            : null;

    /// <summary>Chooses between memory and what was read from Redis. A fresh entry is the result; a stale one is returned for stale-if-error.</summary>
    public async ValueTask<Result> ChooseAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, Observation before, RedisView view, Func<CacheEntry, DateTimeOffset, bool>? accepts)
    {
        var (cached, startedAt) = before;
        var now = clock.GetUtcNow(); // read here: a read with several timeouts may take longer than an entry is fresh
        if (cached is not null && redis.MayHaveBeenPurged(cached, view))
        {
            memory.Remove(cached);
            cached = null;
        }

        // The newer of two interim entries may expire first: their freshness is random. A final entry that was removed may be from after the purge, fetched while Redis refused
        // writes: then Redis holds an older interim entry.
        if (view.Best is { } stored && !memory.IsOutdated(stored) && (cached is null || !cached.Entry.Outranks(stored, now)))
        {
            var result = IsFreshEnough(stored, now, accepts) ? new CacheResult(stored, CacheStatus.Hit, CacheTier.Redis) : default(CacheResult?);
            return new Result(StoreInMemory(fetch, stored, view.InvalidationToken, startedAt).Entry, view.InvalidationToken, view.IsReached, result);
        }

        if (cached is not null && IsFreshEnough(cached.Entry, now, accepts))
        {
            // Redis has lost the entry, so it is written again from memory.
            if (view.IsReached && await redis.WriteAsync(cached.Entry, view.InvalidationToken) is not WriteResult.Stored)
            {
                memory.Remove(fetch.Key); // purged or replaced since the read
                return await ReadAgainAsync(fetch, accepts);
            }

            StoreInMemory(fetch, cached.Entry, view.IsReached ? view.InvalidationToken : cached.InvalidationToken, view.IsReached ? startedAt : cached.VerifiedAt);
            return new Result(cached.Entry, view.InvalidationToken, view.IsReached, new CacheResult(cached.Entry, CacheStatus.Hit, CacheTier.Memory));
        }

        return new Result(cached?.Entry, view.InvalidationToken, view.IsReached, null);
    }

    /// <summary>Stores an entry in memory unless the fetch was invalidated.</summary>
    public MemoryEntry StoreInMemory(SingleFlight<CacheResult>.InFlightFetch fetch, CacheEntry entry, string? token, long verifiedAt)
    {
        var cached = new MemoryEntry(entry, memory.VerifyAt(redis.IsConfigured), token, verifiedAt);
        if (fetch.IsInvalidated)
        {
            memory.NoteUnstored(entry);
            return cached;
        }

        cached = memory.Set(cached);
        if (fetch.IsInvalidated)
        {
            memory.Remove(fetch.Key);
        }

        return cached;
    }

    private static bool IsFreshEnough(CacheEntry entry, DateTimeOffset now, Func<CacheEntry, DateTimeOffset, bool>? accepts) =>
        accepts is null ? entry.IsFreshBeforeRefresh(now) : accepts(entry, now);

    /// <summary>Memory and the clock before a read from Redis.</summary>
    internal readonly record struct Observation(MemoryEntry? Cached, long At);

    /// <summary>The result of a lookup: the best entry, the invalidation token, whether Redis responded, and the cache result if the entry is fresh.</summary>
    internal readonly record struct Result(CacheEntry? Entry, string? InvalidationToken, bool IsReached, CacheResult? Found);
}
