using LumaGateway.Problems;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using LumaGateway.Time;
using Medallion.Threading;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>
/// Fills the cache for one key: looks up both tiers, acquires the distributed lock, fetches and stores, all within one deadline. If the fetch fails, a
/// stale final entry is served (stale-if-error). Thread-safe.
/// </summary>
internal sealed class CacheFill(MemoryTier memory, RedisTier shared, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private const string Span = "fetch";

    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LaterLooks = TimeSpan.FromMilliseconds(120);

    /// <param name="fetch">The fetch in flight.</param>
    /// <param name="origin">Fetches from the upstream.</param>
    /// <param name="requestId">The id of the request that started the fetch.</param>
    /// <param name="suffices">An additional condition for a cached entry; null if any fresh entry is enough.</param>
    public async Task<CacheResult> FillAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, Origin origin, string requestId, Func<CacheEntry, bool>? suffices = null)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        fetch.Context = activity?.Context;
        using var deadline = new Deadline(origin.Deadline, clock);
        var lookup = await LookUpAsync(fetch, suffices, isPatient: false);
        if (lookup.Answer is { } found)
        {
            return found;
        }

        using var patience = suffices is null ? ServeStaleIfSlow(fetch, lookup) : null;
        IDistributedSynchronizationHandle? handle = null;
        try
        {
            if (shared.IsConfigured)
            {
                (handle, lookup) = await WaitForLockAsync(fetch, lookup, suffices, deadline);
                if (lookup.Answer is { } fetchedElsewhere)
                {
                    return fetchedElsewhere;
                }
            }

            return await FetchAsync(fetch, origin, requestId, lookup, deadline);
        }
        finally
        {
            _ = DistributedLocks.ReleaseAsync(handle);
        }
    }

    /// <summary>Looks up memory and Redis. A fresh entry is the result; a stale one is returned for stale-if-error.</summary>
    private async Task<Lookup> LookUpAsync(SingleFlight<CacheResult>.InFlightFetch fetch, Func<CacheEntry, bool>? suffices, bool isPatient)
    {
        var held = memory.Find(fetch.Key);
        var now = clock.GetUtcNow();
        if (held is not null && IsGood(held.Entry, now, suffices) && now < held.VerifyAt)
        {
            return new Lookup(held.Entry, held.InvalidationToken, new CacheResult(held.Entry, CacheStatus.Hit, CacheTier.Memory));
        }

        var startedAt = clock.GetTimestamp();
        var view = await shared.ReadAsync(fetch.Key, isPatient);
        now = clock.GetUtcNow(); // a lookup with retries may take longer than the entry is fresh
        if (held is not null && MayHaveBeenPurged(held, view))
        {
            memory.Remove(fetch.Key);
            held = null;
        }

        // The newer of two interim entries may expire first: their freshness is random.
        if (view.Best is { } theirs && (held is null || !held.Entry.Outranks(theirs, now)))
        {
            var answer = IsGood(theirs, now, suffices) ? new CacheResult(theirs, CacheStatus.Hit, CacheTier.Shared) : default(CacheResult?);
            return new Lookup(Keep(fetch, theirs, view.InvalidationToken, startedAt).Entry, view.InvalidationToken, answer);
        }

        if (held is not null && IsGood(held.Entry, now, suffices))
        {
            // Redis has lost the entry, so it is written again from memory.
            if (view.IsReached && await shared.WriteAsync(held.Entry, view.InvalidationToken) is not WriteResult.Stored)
            {
                memory.Remove(fetch.Key);
                return await LookUpAsync(fetch, suffices, isPatient); // purged or replaced since the read
            }

            Keep(fetch, held.Entry, view.IsReached ? view.InvalidationToken : held.InvalidationToken, view.IsReached ? startedAt : held.VerifiedAt);
            return new Lookup(held.Entry, view.InvalidationToken, new CacheResult(held.Entry, CacheStatus.Hit, CacheTier.Memory));
        }

        return new Lookup(held?.Entry, view.InvalidationToken, null);
    }

    /// <summary>
    /// Whether another replica may have purged the entry in memory: the invalidation token has changed, or the entry was not verified for longer than a
    /// token lives.
    /// </summary>
    private bool MayHaveBeenPurged(MemoryEntry held, RedisView view) => shared.IsConfigured
        && ((view.InvalidationToken is not null && view.InvalidationToken != held.InvalidationToken) || clock.GetElapsedTime(held.VerifiedAt) >= RedisTier.MaxUnverified);

    /// <summary>Waits until this replica holds the lock, another replica has stored an entry, or Redis is unavailable.</summary>
    private async Task<(IDistributedSynchronizationHandle? Turn, Lookup Lookup)> WaitForLockAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, Lookup lookup, Func<CacheEntry, bool>? suffices, Deadline deadline)
    {
        var startedAt = clock.GetTimestamp();
        var fetchedElsewhere = default(long?); // when another replica was last seen with the lock
        for (var pause = FirstLook; ; pause = pause * 1.5 < LaterLooks ? pause * 1.5 : LaterLooks)
        {
            var (handle, reached) = await shared.TryAcquireLockAsync(fetch.Key);
            if (reached)
            {
                // Looked up after the lock was acquired or refused: its previous holder has stored an entry by now, or failed.
                try
                {
                    lookup = await LookUpAsync(fetch, suffices, isPatient: true);
                }
                catch
                {
                    _ = DistributedLocks.ReleaseAsync(handle); // the library renews a lock until it is released
                    throw;
                }

                if (lookup.Answer is { } answer)
                {
                    _ = DistributedLocks.ReleaseAsync(handle);
                    metrics.WaitedForLock(clock.GetElapsedTime(startedAt));
                    return (null, lookup with { Answer = answer with { Status = CacheStatus.Collapsed } });
                }

                fetchedElsewhere = clock.GetTimestamp();
            }

            // Redis became unavailable while another replica held the lock. That replica gets the lock's lifetime to store its entry.
            if (handle is not null || (!reached && !(fetchedElsewhere is { } then && clock.GetElapsedTime(then) < options.Value.LockLifetime)))
            {
                metrics.WaitedForLock(clock.GetElapsedTime(startedAt));
                return (handle, lookup);
            }

            try
            {
                await Task.Delay(pause, clock, deadline.Token);
            }
            catch (OperationCanceledException)
            {
                metrics.WaitedForLock(clock.GetElapsedTime(startedAt));
                var fault = new UpstreamException(UpstreamFault.TimedOut, "Another replica's fetch outlasted the deadline.");
                return (null, lookup with { Answer = ServeStale(fetch, lookup, fault) });
            }
        }
    }

    private async Task<CacheResult> FetchAsync(SingleFlight<CacheResult>.InFlightFetch fetch, Origin origin, string requestId, Lookup lookup, Deadline deadline)
    {
        CacheEntry entry;
        var startedAt = clock.GetTimestamp();
        try
        {
            entry = await origin.FetchAsync(fetch.Key, requestId, deadline);
        }
        catch (UpstreamException fault)
        {
            return ServeStale(fetch, lookup, fault);
        }

        if (entry.Kind is EntryKind.Interim && lookup.Entry is { Kind: EntryKind.Final })
        {
            return ServeStale(fetch, lookup, null); // a final state never becomes interim again
        }

        var result = fetch.IsInvalidated ? WriteResult.Invalidated : await shared.WriteAsync(entry, lookup.InvalidationToken);
        if (result is WriteResult.Stored)
        {
            Keep(fetch, entry, lookup.InvalidationToken, startedAt);
        }
        else if (result is WriteResult.Outdated && (await LookUpAsync(fetch, null, isPatient: true)).Answer is { } newer)
        {
            return newer with { Status = CacheStatus.Collapsed }; // this replica was slow or paused and lost the lock; another one has stored a newer entry
        }

        return new CacheResult(entry, CacheStatus.Miss, CacheTier.None);
    }

    /// <summary>The result if the upstream gives no usable one: the entry at hand, or the fault.</summary>
    private CacheResult ServeStale(SingleFlight<CacheResult>.InFlightFetch fetch, Lookup lookup, UpstreamException? fault)
    {
        var now = clock.GetUtcNow();
        var known = memory.Find(fetch.Key)?.Entry ?? lookup.Entry; // memory may hold a newer entry since the fetch began
        if (known is not { } entry || (fault is not null && !entry.CanServeStale(now)))
        {
            return new CacheResult(null, CacheStatus.Miss, CacheTier.None, fault);
        }

        if (entry.IsFresh(now))
        {
            return new CacheResult(entry, CacheStatus.Hit, CacheTier.Memory); // only the refresh-ahead failed
        }

        var verifiedAt = memory.Find(fetch.Key) is { } held && ReferenceEquals(held.Entry, entry) ? held.VerifiedAt : clock.GetTimestamp();
        Keep(fetch, entry, lookup.InvalidationToken, verifiedAt).MarkStale(fault, now + options.Value.CoverRetry);
        return new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault);
    }

    /// <summary>Serves the stale entry if the fetch takes longer than Cache:CoverAfter (stale-if-error, RFC 5861). The fetch continues.</summary>
    private ITimer? ServeStaleIfSlow(SingleFlight<CacheResult>.InFlightFetch fetch, Lookup lookup)
    {
        return lookup.Entry is { } entry && entry.CanServeStale(clock.GetUtcNow()) ? clock.CreateTimer(_ => Cover(entry), null, options.Value.CoverAfter, Timeout.InfiniteTimeSpan) : null;

        void Cover(CacheEntry entry)
        {
            var now = clock.GetUtcNow();
            var fault = new UpstreamException(UpstreamFault.TimedOut, "A refresh takes longer than Cache:CoverAfter.");
            if (memory.Find(fetch.Key) is { } held && !held.Entry.IsFresh(now))
            {
                held.MarkStale(fault, now + options.Value.CoverRetry); // later callers get the stale entry at once
            }

            fetch.Complete(new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault));
        }
    }

    /// <summary>Stores an entry in memory unless the fetch was invalidated.</summary>
    private MemoryEntry Keep(SingleFlight<CacheResult>.InFlightFetch fetch, CacheEntry entry, string? token, long verifiedAt)
    {
        var verifyAt = shared.IsConfigured ? clock.GetUtcNow() + options.Value.MemoryLifetime : DateTimeOffset.MaxValue;
        var held = new MemoryEntry(entry, verifyAt, token, verifiedAt);
        if (fetch.IsInvalidated)
        {
            return held;
        }

        held = memory.Set(held);
        if (fetch.IsInvalidated)
        {
            memory.Remove(fetch.Key);
        }

        return held;
    }

    /// <summary>Fresh and not yet due for refresh-ahead: a refresh must not end with the entry that it is to replace.</summary>
    private static bool IsGood(CacheEntry entry, DateTimeOffset now, Func<CacheEntry, bool>? suffices) =>
        entry.IsFresh(now) && now < entry.RefreshFrom && (suffices is null || suffices(entry));

    /// <summary>The result of a lookup: the best entry, the invalidation token, and the cache result if the entry is fresh.</summary>
    private readonly record struct Lookup(CacheEntry? Entry, string? InvalidationToken, CacheResult? Answer);
}
