using System.Diagnostics;
using LumaGateway.Contracts;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>
/// Returns entries from memory, otherwise from Redis, otherwise from the upstream, which gets one request for all callers on all replicas. A stale final
/// entry is served over upstream faults. Thread-safe. README.md beside this file has the rules.
/// </summary>
internal sealed class ResponseCache(
    MemoryTier memory, RedisTier redis, CacheFill fill, ReplicaBus bus, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private const string Span = "cache";
    private const string Purge = "purge";

    private readonly SingleFlight<CacheResult> _fetches = new();
    private long _purges;

    /// <summary>A key is purged by this process or another one. Raised before <see cref="Purges"/> counts the purge and before the entries are removed.</summary>
    public event Action<GenerationId>? Purged;

    /// <inheritdoc cref="CacheFill.EntryRead"/>
    public event Action<CacheEntry>? EntryRead
    {
        add => fill.EntryRead += value;
        remove => fill.EntryRead -= value;
    }

    /// <summary>Counts the purges of this process and those received from other replicas.</summary>
    public long Purges => Volatile.Read(ref _purges);

    /// <summary>Returns the entry if it is in memory and fresh; null if it must be fetched, verified or refreshed. Counts nothing.</summary>
    public CacheEntry? TryGetFresh(GenerationId key, DateTimeOffset now) =>
        memory.Find(key) is { } cached && memory.CanServe(cached, now) && now < cached.Entry.RefreshFrom ? cached.Entry : null;

    /// <summary>Counts a hit for an entry of <see cref="TryGetFresh"/>, once its response is sent.</summary>
    public CacheResult RecordHit(CacheEntry entry) => Record(new CacheResult(entry, CacheStatus.Hit, CacheTier.Memory), null);

    /// <summary>Returns the entry of a key, a fault, or both. The token cancels only this caller's wait; the fetch continues.</summary>
    public ValueTask<CacheResult> GetAsync(GenerationId key, FetchRequest request, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (memory.Find(key) is { } cached)
        {
            if (memory.CanServe(cached, now))
            {
                if (now >= cached.Entry.RefreshFrom)
                {
                    Refresh(cached, now, request);
                }

                return ValueTask.FromResult(RecordWithSpan(new CacheResult(cached.Entry, CacheStatus.Hit, CacheTier.Memory)));
            }

            if (cached.StaleReason is { } reason && cached.Entry.CanServeStale(now) && memory.IsVerified(cached))
            {
                // Serves the stale entry and refreshes it in the background.
                Refresh(cached, now, request);
                return ValueTask.FromResult(RecordWithSpan(new CacheResult(cached.Entry, CacheStatus.Stale, CacheTier.Memory, reason.Fault)));
            }
        }

        return JoinAsync(key, request, cancellationToken);
    }

    /// <summary>
    /// Returns an entry newer than <paramref name="outdated"/>, which proved wrong before it expired: one that another caller has fetched since,
    /// otherwise a new fetch. A failing fetch serves a stale entry as usual.
    /// </summary>
    public async Task<CacheResult> RenewAsync(CacheEntry outdated, FetchRequest request, CancellationToken cancellationToken)
    {
        for (var isRetry = false; ; isRetry = true)
        {
            var fetch = _fetches.JoinOrStart(outdated.Key, fetch => fill.FillAsync(fetch, request, (entry, now) => entry.IsFreshBeforeRefresh(now) && entry.StoredAt > outdated.StoredAt), out var joined);
            var result = await fetch.Completion.WaitAsync(cancellationToken);
            if (isRetry || !joined || result.Status is not CacheStatus.Hit)
            {
                return Record(joined ? result.Joined() : result, null);
            }

            // The joined fetch returned the entry that this caller knows to be outdated.
        }
    }

    /// <summary>
    /// Stores an entry that was not fetched by this cache, such as one from a list. Returns the entry that is stored now: it, a final one, or a newer
    /// one. Returns null if the key may have been purged since <see cref="Purges"/> was <paramref name="purges"/>, or the entry is older than a final one that was.
    /// </summary>
    public async Task<CacheEntry?> PutAsync(CacheEntry entry, long purges)
    {
        var now = clock.GetUtcNow();
        var cached = memory.Find(entry.Key) is { Entry.Kind: EntryKind.Final } final ? final : null;
        if (cached is not null && memory.CanServe(cached, now))
        {
            return cached.Entry;
        }

        if (Purges != purges)
        {
            return null;
        }

        var startedAt = clock.GetTimestamp();
        var view = await redis.ReadAsync(entry.Key);
        if (cached is not null && redis.MayHaveBeenPurged(cached, view))
        {
            memory.Remove(cached);
            cached = null;
        }

        var known = view.Final is { } shared && (cached is null || shared.Outranks(cached.Entry, now)) ? shared : cached?.Entry;

        // A token lives longer than any upstream request: without a token, the key was not purged since the request.
        if (view.InvalidationToken is not null)
        {
            return known is null ? null : StoreInMemory(known, view.InvalidationToken, purges, startedAt);
        }

        return view.IsReached
            ? await PutInRedisAsync(entry, known, view, purges, startedAt, now)
            : PutUnverified(entry, known, purges, startedAt, now);
    }

    /// <summary>Whether memory holds a fresh final entry.</summary>
    public bool HasFreshFinal(GenerationId key) => memory.Find(key) is { Entry: { Kind: EntryKind.Final } entry } && entry.IsFresh(clock.GetUtcNow());

    /// <summary>
    /// As <see cref="GetAsync"/>, but instead of freshness the age of an interim entry counts: it is enough if it was requested at or after
    /// <paramref name="notBefore"/>.
    /// </summary>
    public async Task<CacheResult> RefreshAsync(GenerationId key, FetchRequest request, DateTimeOffset notBefore)
    {
        var fetch = _fetches.JoinOrStart(key, fetch => fill.FillAsync(fetch, request, (entry, now) => entry.IsRecent(now, notBefore)), out var joined);
        var result = await fetch.Completion;
        return joined ? result.Joined() : result;
    }

    /// <summary>Returns an entry of memory or Redis; null if there is none, or memory has a newer one that must be fetched or verified. Never asks the upstream.</summary>
    /// <param name="key">The key.</param>
    /// <param name="notBefore">Null for a fresh entry; otherwise an interim entry is enough if it was requested at or after this time.</param>
    public async ValueTask<CacheEntry?> FindAsync(GenerationId key, DateTimeOffset? notBefore = null)
    {
        var now = clock.GetUtcNow();
        var cached = memory.Find(key);
        if (cached is not null && memory.CanServe(cached, now) && IsEnough(cached.Entry, now))
        {
            return cached.Entry;
        }

        var purges = Purges;
        var startedAt = clock.GetTimestamp();
        var view = await redis.ReadAsync(key);
        if (cached is not null && redis.MayHaveBeenPurged(cached, view))
        {
            memory.Remove(cached);
        }

        if (view.Best is not { } stored || memory.HasNewer(stored))
        {
            return null;
        }

        // A final entry is stored in memory, so that this replica can serve it again without Redis.
        var found = stored.Kind is EntryKind.Final ? StoreInMemory(stored, view.InvalidationToken, purges, startedAt) ?? stored : stored;
        return IsEnough(found, clock.GetUtcNow()) ? found : null;

        // A not-found entry must be fresh: the generation may have been created since.
        bool IsEnough(CacheEntry entry, DateTimeOffset now) => notBefore is { } earliest && entry.Kind is not EntryKind.NotFound ? entry.IsRecent(now, earliest) : entry.IsFresh(now);
    }

    /// <summary>
    /// True if this replica has had an entry that outranks this one; callers may have seen it. A not-found entry does not count, because only the second one ends waits.
    /// </summary>
    public bool HasNewerState(CacheEntry entry) => memory.Find(entry.Key) is not { Entry.Kind: EntryKind.NotFound } && memory.HasNewer(entry);

    /// <summary>
    /// Removes an interim entry from memory if it is older than an interim or not-found one that another replica has stored in Redis. Returns false if this
    /// replica has had a newer one instead.
    /// </summary>
    public bool TryRemoveOlder(CacheEntry received)
    {
        if (memory.HasNewer(received))
        {
            return false;
        }

        if (memory.Find(received.Key) is { Entry: { Kind: not EntryKind.Final } cached } && cached.RequestedAt < received.RequestedAt)
        {
            memory.Remove(received.Key);
        }

        return true;
    }

    /// <summary>
    /// Purges a key on all replicas and invalidates fetches in flight. Returns false if Redis is configured but did not confirm; then the purge is
    /// repeated until it does.
    /// </summary>
    public async Task<bool> PurgeAsync(GenerationId key)
    {
        metrics.RecordPurge();
        var confirmed = !redis.IsConfigured || await redis.PurgeAsync(key);
        Invalidate(key);
        await bus.PublishAsync(Purge, key.Value);
        return confirmed;
    }

    /// <summary>Subscribes to the purges of other replicas.</summary>
    public void SubscribeToPurges()
    {
        bus.Subscribe(Purge, OnPurge);
        redis.PurgeConfirmed += key => _ = bus.PublishAsync(Purge, key.Value); // never throws
    }

    private bool OnPurge(string[] words)
    {
        if (words is not [var text] || !GenerationId.TryParse(text, null, out var id))
        {
            return false;
        }

        Invalidate(id);
        return true;
    }

    private void Invalidate(GenerationId key)
    {
        Purged?.Invoke(key);
        Interlocked.Increment(ref _purges);
        memory.Remove(key); // a fetch that starts from here on does not find the entry
        _fetches.Invalidate(key);
        memory.Remove(key); // the fetch in flight may have stored it again
    }

    /// <summary>A fresh final entry in Redis is not replaced: lists would write it again and again. One that Redis has lost is written again from memory.</summary>
    private async Task<CacheEntry?> PutInRedisAsync(CacheEntry entry, CacheEntry? known, RedisView view, long purges, long verifiedAt, DateTimeOffset now)
    {
        var isInRedis = view.Final is not null && known is not null && !known.Outranks(view.Final, now);
        if (known is not null && (known.Outranks(entry, now) || (isInRedis && known.IsFresh(now))))
        {
            entry = known;
        }

        if (!isInRedis || !ReferenceEquals(entry, known))
        {
            switch (await redis.WriteAsync(entry, null))
            {
                case WriteResult.Invalidated:
                    return null;
                case WriteResult.Outdated:
                    return await FindAsync(entry.Key, entry.RequestedAt);
            }
        }

        return StoreInMemory(entry, null, purges, verifiedAt);
    }

    /// <summary>
    /// Not verified in Redis: the time of verification is that of the request. A better entry in memory stays there, unless a fetch has removed it meanwhile.
    /// </summary>
    private CacheEntry? PutUnverified(CacheEntry entry, CacheEntry? known, long purges, long startedAt, DateTimeOffset now) => known is null || !known.Outranks(entry, now)
        ? StoreInMemory(entry, null, purges, startedAt - DurationOf(now - entry.RequestedAt))
        : memory.Find(entry.Key)?.Entry;

    /// <summary>A time span, at least zero, in the unit of the clock's timestamps.</summary>
    private long DurationOf(TimeSpan time) => (long)(Math.Max(0, time.TotalSeconds) * clock.TimestampFrequency);

    /// <summary>Stores an entry in memory. Returns the entry that is stored now; null if the key may have been purged meanwhile, or a final entry requested later was.</summary>
    private CacheEntry? StoreInMemory(CacheEntry entry, string? token, long purges, long verifiedAt)
    {
        if (Purges != purges || memory.IsOutdated(entry))
        {
            return null;
        }

        var stored = memory.Set(new MemoryEntry(entry, memory.VerifyAt(redis.IsConfigured), token, verifiedAt)).Entry;
        if (Purges == purges)
        {
            return stored;
        }

        memory.Remove(entry.Key);
        return null;
    }

    private async ValueTask<CacheResult> JoinAsync(GenerationId key, FetchRequest request, CancellationToken cancellationToken)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        for (var isRetry = false; ; isRetry = true)
        {
            var fetch = _fetches.JoinOrStart(key, (fill, request), static (fetch, state) => state.fill.FillAsync(fetch, state.request), out var joined);
            var result = await fetch.Completion.WaitAsync(cancellationToken);
            if (joined && fetch.Context is { } fetchContext)
            {
                activity?.AddLink(new ActivityLink(fetchContext));
            }

            // An interim entry that is recent enough for the poll that was joined may have expired.
            var isExpired = joined && result is { Entry: { } entry, Status: CacheStatus.Hit or CacheStatus.Collapsed } && !entry.IsFresh(clock.GetUtcNow());
            if (isRetry || !isExpired)
            {
                return Record(joined ? result.Joined() : result, activity);
            }
        }
    }

    private void Refresh(MemoryEntry cached, DateTimeOffset now, FetchRequest request)
    {
        if (cached.TryClaimRefresh(now, now + options.Value.StaleIfErrorRetry))
        {
            _fetches.JoinOrStart(cached.Entry.Key, fetch => fill.FillAsync(fetch, request), out _);
        }
    }

    /// <summary>Records a result that was available at once. The span is created only if there is a listener.</summary>
    private CacheResult RecordWithSpan(CacheResult result)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        return Record(result, activity);
    }

    private CacheResult Record(CacheResult result, Activity? activity)
    {
        metrics.RecordResult(result);
        if (activity is not null)
        {
            activity.SetTag("luma_gateway.cache.status", CacheMetrics.NameOf(result.Status));
            activity.SetTag("luma_gateway.cache.tier", CacheMetrics.NameOf(result.Tier));
            if (result is { Entry: null, Fault: { } fault })
            {
                activity.SetStatus(ActivityStatusCode.Error, fault.Message);
            }
        }

        return result;
    }
}
