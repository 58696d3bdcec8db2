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
    MemoryTier memory, RedisTier shared, CacheFill plan, ReplicaBus fleet, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private const string Span = "cache";
    private const string Purge = "purge";

    private readonly SingleFlight<CacheResult> _fetches = new();
    private long _purges;

    /// <summary>Counts the purges of this process and those received from other replicas.</summary>
    public long Purges => Volatile.Read(ref _purges);

    /// <summary>Returns the entry if it is in memory and fresh; null if it must be fetched, verified or refreshed. Counts nothing.</summary>
    public CacheEntry? TryGetFresh(CacheKey key, DateTimeOffset now) =>
        memory.Find(key) is { } held && held.CanServe(now) && now < held.Entry.RefreshFrom ? held.Entry : null;

    /// <summary>Counts a hit for an entry of <see cref="TryGetFresh"/>, once its response is sent.</summary>
    public CacheResult Give(CacheEntry entry) => Record(new CacheResult(entry, CacheStatus.Hit, CacheTier.Memory), null);

    /// <summary>Returns the entry of a key, a fault, or both. The token cancels only this caller's wait; the fetch continues.</summary>
    public ValueTask<CacheResult> GetAsync(CacheKey key, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (memory.Find(key) is { } held)
        {
            if (held.CanServe(now))
            {
                if (now >= held.Entry.RefreshFrom)
                {
                    Refresh(held, now, origin, requestId);
                }

                return ValueTask.FromResult(RecordHit(new CacheResult(held.Entry, CacheStatus.Hit, CacheTier.Memory)));
            }

            if (held.StaleReason is { } cover && held.Entry.CanServeStale(now))
            {
                // Serves the stale entry and refreshes it in the background.
                Refresh(held, now, origin, requestId);
                return ValueTask.FromResult(RecordHit(new CacheResult(held.Entry, CacheStatus.Stale, CacheTier.Memory, cover.Fault)));
            }
        }

        return JoinAsync(key, origin, requestId, cancellationToken);
    }

    /// <summary>
    /// Returns an entry newer than <paramref name="outdated"/>, which proved wrong before it expired: one that another caller has fetched since,
    /// otherwise a new fetch. A failing fetch serves a stale entry as usual.
    /// </summary>
    public async Task<CacheResult> RenewAsync(CacheEntry outdated, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        for (var last = false; ; last = true)
        {
            var fetch = _fetches.JoinOrStart(outdated.Subject, fetch => plan.FillAsync(fetch, origin, requestId, entry => entry.StoredAt > outdated.StoredAt), out var joined);
            var answer = await fetch.Completion.WaitAsync(cancellationToken);
            if (last || !joined || answer.Status is not CacheStatus.Hit)
            {
                return Record(joined ? answer.Joined() : answer, null);
            }

            // The joined fetch returned the entry that this caller knows to be outdated.
        }
    }

    /// <summary>
    /// Stores an entry that was not fetched by this cache, such as one from a list. Returns the entry that is stored now: it, a final one, or a newer
    /// one. Returns null if the key may have been purged since <see cref="Purges"/> was <paramref name="purges"/>.
    /// </summary>
    public async Task<CacheEntry?> PutAsync(CacheEntry entry, long purges)
    {
        if (memory.Find(entry.Subject) is { Entry: { Kind: EntryKind.Final } known } && known.IsFresh(clock.GetUtcNow()))
        {
            return known;
        }

        if (Purges != purges)
        {
            return null;
        }

        var startedAt = clock.GetTimestamp();
        if (shared.IsConfigured)
        {
            // An invalidation token lives longer than any upstream request: without a token, the key was not purged meanwhile. If Redis is unavailable,
            // the entry is verified after Cache:MemoryLifetime.
            var view = await shared.ReadAsync(entry.Subject);
            if (view.InvalidationToken is not null)
            {
                return null;
            }

            if (view is { IsReached: true, Final: null })
            {
                switch (await shared.WriteAsync(entry, null))
                {
                    case WriteResult.Invalidated:
                        return null;
                    case WriteResult.Outdated:
                        return await FindAsync(entry.Subject);
                }
            }

            entry = view.Final ?? entry;
        }

        return StoreHere(entry, null, purges, startedAt) ? entry : null;
    }

    /// <summary>Whether memory holds a fresh final entry.</summary>
    public bool Holds(CacheKey key) => memory.Find(key) is { Entry: { Kind: EntryKind.Final } entry } && entry.IsFresh(clock.GetUtcNow());

    /// <summary>As <see cref="GetAsync"/>, but an interim entry stored before <paramref name="notBefore"/> is not enough, even if fresh.</summary>
    public async Task<CacheResult> RefreshAsync(CacheKey key, Origin origin, string requestId, DateTimeOffset notBefore)
    {
        var answer = await _fetches.JoinOrStart(key, fetch => plan.FillAsync(fetch, origin, requestId, Suffices), out var joined).Completion;
        return joined ? answer.Joined() : answer;

        bool Suffices(CacheEntry entry) => entry.Kind is EntryKind.Final || entry.StoredAt >= notBefore;
    }

    /// <summary>Returns a fresh entry of memory or Redis; null if there is none. Never asks the upstream.</summary>
    public async ValueTask<CacheEntry?> FindAsync(CacheKey key)
    {
        var now = clock.GetUtcNow();
        if (memory.Find(key) is { } held && held.CanServe(now))
        {
            return held.Entry;
        }

        var purges = Purges;
        var startedAt = clock.GetTimestamp();
        var view = await shared.ReadAsync(key);
        if (view.Final is { } final)
        {
            StoreHere(final, view.InvalidationToken, purges, startedAt); // stored in memory, so that this replica can repeat it without Redis
        }

        return view.Best is { } theirs && theirs.IsFresh(clock.GetUtcNow()) ? theirs : null;
    }

    /// <summary>Removes an interim entry from memory, because another replica has a newer one in Redis.</summary>
    public void RemoveInterim(CacheKey key)
    {
        if (memory.Find(key) is { Entry.Kind: not EntryKind.Final })
        {
            memory.Remove(key);
        }
    }

    /// <summary>
    /// Purges a key on all replicas and invalidates fetches in flight. Returns false if Redis is configured but did not confirm; then the purge is
    /// repeated until it does.
    /// </summary>
    public async Task<bool> PurgeAsync(CacheKey key)
    {
        metrics.Purged();
        var confirmed = !shared.IsConfigured || await shared.PurgeAsync(key);
        InvalidateHere(key);
        await fleet.PublishAsync(Purge, key.Id);
        return confirmed;
    }

    /// <summary>Subscribes to the purges of other replicas.</summary>
    public void SubscribeToPurges()
    {
        fleet.Listen(Purge, HearPurge);
        shared.PurgeConfirmed += key => _ = fleet.PublishAsync(Purge, key.Id); // never throws
    }

    private bool HearPurge(string[] words)
    {
        if (words is not [var text] || !GenerationId.TryParse(text, null, out var id))
        {
            return false;
        }

        InvalidateHere(new CacheKey(id.Value));
        return true;
    }

    private void InvalidateHere(CacheKey key)
    {
        Interlocked.Increment(ref _purges);
        _fetches.Invalidate(key);
        memory.Remove(key);
    }

    /// <summary>Stores an entry in memory. Returns false if the key may have been purged meanwhile.</summary>
    private bool StoreHere(CacheEntry entry, string? token, long purges, long verifiedAt)
    {
        var verifyAt = shared.IsConfigured ? clock.GetUtcNow() + options.Value.MemoryLifetime : DateTimeOffset.MaxValue;
        if (Purges == purges)
        {
            memory.Set(new MemoryEntry(entry, verifyAt, token, verifiedAt));
        }

        if (Purges == purges)
        {
            return true;
        }

        memory.Remove(entry.Subject);
        return false;
    }

    private async ValueTask<CacheResult> JoinAsync(CacheKey key, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        var fetch = _fetches.JoinOrStart(key, fetch => plan.FillAsync(fetch, origin, requestId), out var joined);
        var answer = await fetch.Completion.WaitAsync(cancellationToken);
        if (joined && fetch.Context is { } served)
        {
            activity?.AddLink(new ActivityLink(served));
        }

        return Record(joined ? answer.Joined() : answer, activity);
    }

    private void Refresh(MemoryEntry held, DateTimeOffset now, Origin origin, string requestId)
    {
        if (held.TryClaimRefresh(now, now + options.Value.CoverRetry))
        {
            _fetches.JoinOrStart(held.Entry.Subject, fetch => plan.FillAsync(fetch, origin, requestId), out _);
        }
    }

    /// <summary>Records a result without a wait; the span is created only if there is a listener.</summary>
    private CacheResult RecordHit(CacheResult answer)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        return Record(answer, activity);
    }

    private CacheResult Record(CacheResult answer, Activity? activity)
    {
        metrics.Answered(answer);
        if (activity is not null)
        {
            activity.SetTag("luma_gateway.cache.status", CacheMetrics.NameOf(answer.Status));
            activity.SetTag("luma_gateway.cache.level", CacheMetrics.NameOf(answer.Level));
            if (answer is { Entry: null, Fault: { } fault })
            {
                activity.SetStatus(ActivityStatusCode.Error, fault.Message);
            }
        }

        return answer;
    }
}
