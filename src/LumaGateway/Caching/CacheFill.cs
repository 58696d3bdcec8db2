using LumaGateway.Problems;
using LumaGateway.Telemetry;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>
/// Fills the cache for one key: looks up both tiers, acquires the distributed lock, fetches and stores, all within one deadline. If the fetch fails, a
/// stale final entry is served (stale-if-error). Thread-safe.
/// </summary>
internal sealed class CacheFill(IEntrySource source, CacheLookup lookups, MemoryTier memory, RedisTier redis, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private const string Span = "fetch";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxPause = TimeSpan.FromMilliseconds(120);

    /// <summary>A fetch ended with an entry of Redis or of the upstream, whether or not its callers still wait.</summary>
    public event Action<CacheEntry>? EntryRead;

    /// <param name="fetch">The fetch in flight.</param>
    /// <param name="request">The request that started the fetch.</param>
    /// <param name="accepts">Tells whether a cached entry is enough now; null if a fresh one is enough.</param>
    public async Task<CacheResult> FillAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, FetchRequest request, Func<CacheEntry, DateTimeOffset, bool>? accepts = null)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        fetch.Context = activity?.Context;
        using var deadline = new Deadline(source.Deadline, clock);
        var startedAt = clock.GetTimestamp();
        var (attempt, lookup) = await lookups.LookUpAsync(fetch, accepts);
        var heldLock = attempt.Lock;
        try
        {
            if (lookup.Found is { } found)
            {
                return Report(found);
            }

            using var staleTimer = accepts is null && lookup.Entry is { } stale && stale.CanServeStale(clock.GetUtcNow()) ? ServeStaleIfSlow(fetch, stale) : null;
            if (redis.IsConfigured)
            {
                if (heldLock is null)
                {
                    (heldLock, lookup) = await WaitForLockAsync(fetch, lookup, attempt.IsTaken, accepts, deadline);
                }

                metrics.RecordLockWait(clock.GetElapsedTime(startedAt));
            }

            return Report(lookup.Found ?? await FetchAsync(fetch, request, lookup.Entry, lookup.InvalidationToken, lookup.IsReached, heldLock, deadline));
        }
        finally
        {
            heldLock?.Dispose();
        }
    }

    private CacheResult Report(CacheResult result)
    {
        if (result is { Entry: { } entry, Tier: not CacheTier.Memory })
        {
            EntryRead?.Invoke(entry);
        }

        return result;
    }

    /// <summary>Waits until this replica holds the lock, another replica has stored an entry, or Redis is unavailable.</summary>
    private async Task<(FetchLock? Lock, CacheLookup.Result Lookup)> WaitForLockAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, CacheLookup.Result lookup, bool isTaken, Func<CacheEntry, DateTimeOffset, bool>? accepts, Deadline deadline)
    {
        var lockSeenAt = isTaken ? clock.GetTimestamp() : default(long?); // when another replica was last seen with the lock
        for (var pause = FirstPause; ; pause = pause * 1.5 < MaxPause ? pause * 1.5 : MaxPause)
        {
            if (lockSeenAt is not null && !await PauseAsync(pause, deadline))
            {
                var fault = new UpstreamException(UpstreamFault.TimedOut, "The fetch of another replica took longer than the deadline.");
                return (null, lookup with { Found = ServeStale(fetch, lookup.Entry, lookup.InvalidationToken, fault) });
            }

            var before = lookups.Observe(fetch.Key);
            var (heldLock, _, view, isReached) = await redis.TryAcquireLockAsync(fetch.Key);
            if (isReached)
            {
                try
                {
                    lookup = lookups.FindInMemory(fetch, accepts) ?? await lookups.ChooseAsync(fetch, before, view, accepts);
                }
                catch
                {
                    heldLock?.Dispose();
                    throw;
                }

                if (lookup.Found is { } result)
                {
                    return (heldLock, lookup with { Found = result with { Status = CacheStatus.Collapsed } });
                }

                lockSeenAt = clock.GetTimestamp();
            }

            // Redis became unavailable while another replica held the lock. That replica gets the lock's lifetime to store its entry.
            if (heldLock is not null || (!isReached && !(lockSeenAt is { } seenAt && clock.GetElapsedTime(seenAt) < options.Value.LockLifetime)))
            {
                return (heldLock, lookup);
            }
        }
    }

    /// <summary>Returns false if the deadline has passed.</summary>
    private async Task<bool> PauseAsync(TimeSpan pause, Deadline deadline)
    {
        try
        {
            await Task.Delay(pause, clock, deadline.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<CacheResult> FetchAsync(
        SingleFlight<CacheResult>.InFlightFetch fetch, FetchRequest request, CacheEntry? stale, string? token, bool isRedisReached, FetchLock? heldLock, Deadline deadline)
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
            return isRedisReached || stale is not null ? ServeStale(fetch, stale, token, fault) : await ReadAgainAsync(fetch, fault);
        }

        if (entry.Kind is EntryKind.Interim && stale is { Kind: EntryKind.Final })
        {
            return ServeStale(fetch, stale, token, null); // a final state never becomes interim again
        }

        return await StoreAsync(fetch, entry, token, heldLock, startedAt);
    }

    /// <summary>Reads Redis once more, before the fault is returned: it may only have been slow.</summary>
    private async Task<CacheResult> ReadAgainAsync(SingleFlight<CacheResult>.InFlightFetch fetch, UpstreamException fault)
    {
        var lookup = await lookups.ReadAgainAsync(fetch, null);
        return lookup.Found ?? ServeStale(fetch, lookup.Entry, lookup.InvalidationToken, fault);
    }

    /// <summary>Stores a fetched entry in both tiers. Returns it, or a better one that was stored since the fetch began.</summary>
    private async Task<CacheResult> StoreAsync(SingleFlight<CacheResult>.InFlightFetch fetch, CacheEntry entry, string? token, FetchLock? heldLock, long startedAt)
    {
        var written = fetch.IsInvalidated ? WriteResult.Invalidated : await redis.WriteAsync(entry, token, heldLock);
        if (written is WriteResult.Invalidated)
        {
            memory.NoteUnstored(entry);
            var now = clock.GetUtcNow();
            if (memory.Find(fetch.Key) is { } cached && memory.CanServe(cached, now) && cached.Entry.Outranks(entry, now))
            {
                return ServeStale(fetch, cached.Entry, cached.InvalidationToken, null); // another fetch stored it in memory while this one ran
            }
        }
        else if (written is WriteResult.Stored)
        {
            var stored = lookups.StoreInMemory(fetch, entry, token, startedAt).Entry;
            if (!ReferenceEquals(stored, entry))
            {
                return ServeStale(fetch, stored, token, null); // without Redis, an entry of another source is in memory only
            }
        }
        else if ((await lookups.ReadAgainAsync(fetch, null)).Found is { } newer)
        {
            return newer with { Status = CacheStatus.Collapsed }; // this replica was slow or paused and lost the lock; another one has stored a newer entry
        }

        return new CacheResult(entry, CacheStatus.Miss, CacheTier.None);
    }

    /// <summary>Returns the entry in memory, or the one found before the fetch; the fault if neither can be served.</summary>
    private CacheResult ServeStale(SingleFlight<CacheResult>.InFlightFetch fetch, CacheEntry? found, string? token, UpstreamException? fault)
    {
        var now = clock.GetUtcNow();
        var current = memory.Find(fetch.Key)?.Entry ?? found; // another writer may have stored a newer entry in memory since the fetch began
        if (current is not { } entry || (fault is not null && !entry.CanServeStale(now)))
        {
            return new CacheResult(null, CacheStatus.Miss, CacheTier.None, fault);
        }

        if (entry.IsFresh(now))
        {
            return new CacheResult(entry, CacheStatus.Hit, CacheTier.Memory); // only the refresh-ahead failed
        }

        var verifiedAt = memory.Find(fetch.Key) is { } cached && ReferenceEquals(cached.Entry, entry) ? cached.VerifiedAt : clock.GetTimestamp();
        lookups.StoreInMemory(fetch, entry, token, verifiedAt).MarkStale(fault, now + options.Value.StaleIfErrorRetry);
        return new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault);
    }

    /// <summary>Serves the stale entry if the fetch takes longer than Cache:StaleIfErrorAfter (stale-if-error, RFC 5861). The fetch continues.</summary>
    private ITimer ServeStaleIfSlow(SingleFlight<CacheResult>.InFlightFetch fetch, CacheEntry entry)
    {
        return clock.CreateTimer(_ => CompleteStale(), null, options.Value.StaleIfErrorAfter, Timeout.InfiniteTimeSpan);

        void CompleteStale()
        {
            var now = clock.GetUtcNow();
            var fault = new UpstreamException(UpstreamFault.TimedOut, "A refresh takes longer than Cache:StaleIfErrorAfter.");
            if (memory.Find(fetch.Key) is { } cached && !cached.Entry.IsFresh(now))
            {
                cached.MarkStale(fault, now + options.Value.StaleIfErrorRetry); // later callers get the stale entry at once
            }

            fetch.Complete(new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault));
        }
    }
}
