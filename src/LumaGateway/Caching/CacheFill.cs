using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>
/// Fills the cache for one key: looks up both tiers, acquires the distributed lock, fetches and stores, all within one deadline. If the fetch fails, a
/// stale final entry is served (stale-if-error). Thread-safe.
/// </summary>
internal sealed class CacheFill(IEntrySource source, MemoryTier memory, RedisTier redis, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private const string Span = "fetch";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(120);

    /// <param name="fetch">The fetch in flight.</param>
    /// <param name="request">The request that started the fetch.</param>
    /// <param name="accepts">Tells whether a cached entry is enough now; null if a fresh one is enough.</param>
    public async Task<CacheResult> FillAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, FetchRequest request, Func<CacheEntry, DateTimeOffset, bool>? accepts = null)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        fetch.Context = activity?.Context;
        using var deadline = new Deadline(source.Deadline, clock);
        var lookup = await LookUpAsync(fetch, accepts);
        if (lookup.Result is { } found)
        {
            return found;
        }

        using var staleTimer = accepts is null ? ServeStaleIfSlow(fetch, lookup) : null;
        if (!redis.IsConfigured)
        {
            return await FetchAsync(fetch, request, lookup, null, deadline);
        }

        (var heldLock, lookup) = await WaitForLockAsync(fetch, lookup, accepts, deadline);
        using (heldLock)
        {
            return lookup.Result ?? await FetchAsync(fetch, request, lookup, heldLock, deadline);
        }
    }

    /// <summary>
    /// Looks up memory, then the final entry in Redis. The rest of Redis is read with the lock, or at once if memory has an entry that may be enough.
    /// </summary>
    private async ValueTask<Lookup> LookUpAsync(SingleFlight<CacheResult>.InFlightFetch fetch, Func<CacheEntry, DateTimeOffset, bool>? accepts)
    {
        if (FindInMemory(fetch, accepts) is { } verified)
        {
            return verified;
        }

        var before = Observe(fetch.Key);
        var view = redis.IsConfigured ? await redis.ReadFinalAsync(fetch.Key) : default;
        if (view is { IsReached: true, Final: null } && before.Cached is { Entry: { } entry } && (entry.Kind is EntryKind.Final || IsFreshEnough(entry, clock.GetUtcNow(), accepts)))
        {
            view = await redis.ReadAsync(fetch.Key);
        }

        return await JudgeAsync(fetch, before, view, accepts);
    }

    /// <summary>Reads both entries and the token from Redis, whatever memory has.</summary>
    private async ValueTask<Lookup> ReadAgainAsync(SingleFlight<CacheResult>.InFlightFetch fetch, Func<CacheEntry, DateTimeOffset, bool>? accepts)
    {
        var before = Observe(fetch.Key);
        return await JudgeAsync(fetch, before, await redis.ReadAsync(fetch.Key, extendTimeout: true), accepts);
    }

    private Observation Observe(GenerationId key) => new(memory.Find(key), clock.GetTimestamp());

    /// <summary>Returns the entry in memory if it is fresh enough and verified.</summary>
    private Lookup? FindInMemory(SingleFlight<CacheResult>.InFlightFetch fetch, Func<CacheEntry, DateTimeOffset, bool>? accepts) =>
        memory.Find(fetch.Key) is { } cached && IsFreshEnough(cached.Entry, clock.GetUtcNow(), accepts) && memory.IsVerified(cached)
            ? new Lookup(cached.Entry, cached.InvalidationToken, new CacheResult(cached.Entry, CacheStatus.Hit, CacheTier.Memory))
            : null;

    /// <summary>Chooses between memory and what was read from Redis. A fresh entry is the result; a stale one is returned for stale-if-error.</summary>
    private async ValueTask<Lookup> JudgeAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, Observation before, RedisView view, Func<CacheEntry, DateTimeOffset, bool>? accepts)
    {
        var (cached, startedAt) = before;
        var now = clock.GetUtcNow(); // read here: a read with several time-outs may take longer than an entry is fresh
        if (cached is not null && MayHaveBeenPurged(cached, view))
        {
            memory.Remove(fetch.Key);
            cached = null;
        }

        // The newer of two interim entries may expire first: their freshness is random.
        if (view.Best is { } stored && (cached is null || !cached.Entry.Outranks(stored, now)))
        {
            var result = IsFreshEnough(stored, now, accepts) ? new CacheResult(stored, CacheStatus.Hit, CacheTier.Shared) : default(CacheResult?);
            return new Lookup(StoreInMemory(fetch, stored, view.InvalidationToken, startedAt).Entry, view.InvalidationToken, result);
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
            return new Lookup(cached.Entry, view.InvalidationToken, new CacheResult(cached.Entry, CacheStatus.Hit, CacheTier.Memory));
        }

        return new Lookup(cached?.Entry, view.InvalidationToken, null);
    }

    /// <summary>
    /// Whether another replica may have purged the entry in memory: the invalidation token has changed, or the entry was not verified for longer than a
    /// token lives.
    /// </summary>
    private bool MayHaveBeenPurged(MemoryEntry cached, RedisView view) => redis.IsConfigured
        && ((view.InvalidationToken is not null && view.InvalidationToken != cached.InvalidationToken) || clock.GetElapsedTime(cached.VerifiedAt) >= RedisTier.MaxUnverified);

    /// <summary>Waits until this replica holds the lock, another replica has stored an entry, or Redis is unavailable.</summary>
    private async Task<(FetchLock? Lock, Lookup Lookup)> WaitForLockAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, Lookup lookup, Func<CacheEntry, DateTimeOffset, bool>? accepts, Deadline deadline)
    {
        var startedAt = clock.GetTimestamp();
        var lockSeenAt = default(long?); // when another replica was last seen with the lock
        for (var pause = FirstPause; ; pause = pause * 1.5 < MaxPause ? pause * 1.5 : MaxPause)
        {
            var before = Observe(fetch.Key);
            var (heldLock, view, isReached) = await redis.TryAcquireLockAsync(fetch.Key);
            if (isReached)
            {
                try
                {
                    lookup = FindInMemory(fetch, accepts) ?? await JudgeAsync(fetch, before, view, accepts);
                }
                catch
                {
                    heldLock?.Dispose();
                    throw;
                }

                if (lookup.Result is { } result)
                {
                    // The first attempt is also the first read of an interim entry.
                    if (pause == FirstPause && result.Entry is { Kind: not EntryKind.Final })
                    {
                        return (heldLock, lookup);
                    }

                    metrics.RecordLockWait(clock.GetElapsedTime(startedAt));
                    return (heldLock, lookup with { Result = result with { Status = CacheStatus.Collapsed } });
                }

                lockSeenAt = clock.GetTimestamp();
            }

            // Redis became unavailable while another replica held the lock. That replica gets the lock's lifetime to store its entry.
            if (heldLock is not null || (!isReached && !(lockSeenAt is { } seenAt && clock.GetElapsedTime(seenAt) < options.Value.LockLifetime)))
            {
                metrics.RecordLockWait(clock.GetElapsedTime(startedAt));
                return (heldLock, lookup);
            }

            try
            {
                await Task.Delay(pause, clock, deadline.Token);
            }
            catch (OperationCanceledException)
            {
                metrics.RecordLockWait(clock.GetElapsedTime(startedAt));
                var fault = new UpstreamException(UpstreamFault.TimedOut, "The fetch of another replica took longer than the deadline.");
                return (null, lookup with { Result = ServeStale(fetch, lookup, fault) });
            }
        }
    }

    private async Task<CacheResult> FetchAsync(SingleFlight<CacheResult>.InFlightFetch fetch, FetchRequest request, Lookup lookup, FetchLock? heldLock, Deadline deadline)
    {
        CacheEntry entry;
        var startedAt = clock.GetTimestamp();
        try
        {
            request.OnFetch?.Invoke(); // before the fetch: it continues after the caller has disconnected
            entry = await source.FetchAsync(fetch.Key, request.Id, deadline);
        }
        catch (UpstreamException fault)
        {
            return ServeStale(fetch, lookup, fault);
        }

        if (entry.Kind is EntryKind.Interim && lookup.Entry is { Kind: EntryKind.Final })
        {
            return ServeStale(fetch, lookup, null); // a final state never becomes interim again
        }

        var written = fetch.IsInvalidated ? WriteResult.Invalidated : await redis.WriteAsync(entry, lookup.InvalidationToken, heldLock);
        if (written is WriteResult.Stored)
        {
            StoreInMemory(fetch, entry, lookup.InvalidationToken, startedAt);
        }
        else if (written is WriteResult.Outdated && (await ReadAgainAsync(fetch, null)).Result is { } newer)
        {
            return newer with { Status = CacheStatus.Collapsed }; // this replica was slow or paused and lost the lock; another one has stored a newer entry
        }

        return new CacheResult(entry, CacheStatus.Miss, CacheTier.None);
    }

    /// <summary>Returns the entry in memory, or the one found before the fetch; the fault if neither can be served.</summary>
    private CacheResult ServeStale(SingleFlight<CacheResult>.InFlightFetch fetch, Lookup lookup, UpstreamException? fault)
    {
        var now = clock.GetUtcNow();
        var current = memory.Find(fetch.Key)?.Entry ?? lookup.Entry; // another writer may have stored a newer entry in memory since the fetch began
        if (current is not { } entry || (fault is not null && !entry.CanServeStale(now)))
        {
            return new CacheResult(null, CacheStatus.Miss, CacheTier.None, fault);
        }

        if (entry.IsFresh(now))
        {
            return new CacheResult(entry, CacheStatus.Hit, CacheTier.Memory); // only the refresh-ahead failed
        }

        var verifiedAt = memory.Find(fetch.Key) is { } cached && ReferenceEquals(cached.Entry, entry) ? cached.VerifiedAt : clock.GetTimestamp();
        StoreInMemory(fetch, entry, lookup.InvalidationToken, verifiedAt).MarkStale(fault, now + options.Value.CoverRetry);
        return new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault);
    }

    /// <summary>Serves the stale entry if the fetch takes longer than Cache:CoverAfter (stale-if-error, RFC 5861). The fetch continues.</summary>
    private ITimer? ServeStaleIfSlow(SingleFlight<CacheResult>.InFlightFetch fetch, Lookup lookup)
    {
        return lookup.Entry is { } entry && entry.CanServeStale(clock.GetUtcNow()) ? clock.CreateTimer(_ => CompleteStale(entry), null, options.Value.CoverAfter, Timeout.InfiniteTimeSpan) : null;

        void CompleteStale(CacheEntry entry)
        {
            var now = clock.GetUtcNow();
            var fault = new UpstreamException(UpstreamFault.TimedOut, "A refresh takes longer than Cache:CoverAfter.");
            if (memory.Find(fetch.Key) is { } cached && !cached.Entry.IsFresh(now))
            {
                cached.MarkStale(fault, now + options.Value.CoverRetry); // later callers get the stale entry at once
            }

            fetch.Complete(new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault));
        }
    }

    /// <summary>Stores an entry in memory unless the fetch was invalidated.</summary>
    private MemoryEntry StoreInMemory(SingleFlight<CacheResult>.InFlightFetch fetch, CacheEntry entry, string? token, long verifiedAt)
    {
        var cached = new MemoryEntry(entry, memory.VerifyAt(redis.IsConfigured), token, verifiedAt);
        if (fetch.IsInvalidated)
        {
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
    private readonly record struct Observation(MemoryEntry? Cached, long At);

    /// <summary>The result of a lookup: the best entry, the invalidation token, and the cache result if the entry is fresh.</summary>
    private readonly record struct Lookup(CacheEntry? Entry, string? InvalidationToken, CacheResult? Result);
}
