using System.Diagnostics;
using LumaGateway.Contracts;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>
/// Answers from memory, else from Redis, else from the origin, which is asked once however many ask here, on all replicas.
/// A final answer past its freshness covers the origin's faults. Thread-safe; see README.md beside this file for the rules.
/// </summary>
internal sealed class ResponseCache(
    MemoryTier memory, RedisTier shared, CacheFill plan, ReplicaBus fleet, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private const string Span = "cache";
    private const string Purge = "purge";

    private readonly SingleFlight<CacheResult> _flights = new();
    private long _purges;

    /// <summary>Goes up with every purge that this process did or heard of.</summary>
    public long Purges => Volatile.Read(ref _purges);

    /// <summary>What memory holds and nothing is to be done about: neither is it to be looked for elsewhere, nor to be refreshed. Counts nothing.</summary>
    public CacheEntry? Peek(CacheKey key, DateTimeOffset now) =>
        memory.Find(key) is { } held && held.MayBeGiven(now, clock.GetTimestamp()) && now < held.Entry.EagerFrom ? held.Entry : null;

    /// <summary>Counts an entry that <see cref="Peek"/> gave as the hit that it is, once it is given to somebody.</summary>
    public CacheResult Give(CacheEntry entry) => Told(new CacheResult(entry, CacheStatus.Hit, CacheTier.Memory), null);

    /// <summary>The answer to <paramref name="key"/>, with an entry, a fault, or both. The token frees this caller only: the fetch goes on.</summary>
    public ValueTask<CacheResult> GetAsync(CacheKey key, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (memory.Find(key) is { } held)
        {
            if (held.MayBeGiven(now, clock.GetTimestamp()))
            {
                if (now >= held.Entry.EagerFrom)
                {
                    Refresh(held, now, origin, requestId);
                }

                return ValueTask.FromResult(Found(new CacheResult(held.Entry, CacheStatus.Hit, CacheTier.Memory)));
            }

            if (held.Covers is { } cover && held.Entry.MayCover(now))
            {
                // The origin failed a moment ago: whether it is back is found out in nobody's time.
                Refresh(held, now, origin, requestId);
                return ValueTask.FromResult(Found(new CacheResult(held.Entry, CacheStatus.Stale, CacheTier.Memory, cover.Fault)));
            }
        }

        return JoinAsync(key, origin, requestId, cancellationToken);
    }

    /// <summary>
    /// An answer newer than <paramref name="outdated"/>, which turned out wrong before its time: another caller's if one has fetched it since,
    /// else the origin's. An origin that fails is covered as ever.
    /// </summary>
    public async Task<CacheResult> RenewAsync(CacheEntry outdated, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        for (var last = false; ; last = true)
        {
            var flight = _flights.JoinOrBegin(outdated.Subject, flight => plan.FlyAsync(flight, origin, requestId, entry => entry.StoredAt > outdated.StoredAt), out var joined);
            var answer = await flight.Landed.WaitAsync(cancellationToken);
            if (last || !joined || answer.Status is not CacheStatus.Hit)
            {
                return Told(joined ? answer.Joined() : answer, null);
            }

            // The flight under way was content with what this caller knows to be outdated.
        }
    }

    /// <summary>
    /// Keeps an answer that came by another way than a fetch, and gives back what is kept now: that answer, a final one that was there before, or a newer one. Null
    /// where it is dropped, because its key may have been purged since <see cref="Purges"/> was <paramref name="purges"/>: it might be from before.
    /// </summary>
    public async Task<CacheEntry?> OfferAsync(CacheEntry entry, long purges)
    {
        if (memory.Find(entry.Subject) is { Entry: { Kind: EntryKind.Final } known } && known.IsFresh(clock.GetUtcNow()))
        {
            return known;
        }

        if (Purges != purges)
        {
            return null;
        }

        var begun = clock.GetTimestamp();
        if (shared.IsConfigured)
        {
            // A purge mark outlives every exchange with the origin: without one, nothing was purged meanwhile. Where Redis cannot say, it is asked
            // again after Cache:MemoryLifetime, as about all that memory holds.
            var view = await shared.ReadAsync(entry.Subject);
            if (view.Epoch is not null)
            {
                return null;
            }

            if (view is { IsReached: true, Final: null })
            {
                switch (await shared.WriteAsync(entry, null))
                {
                    case WriteResult.Purged:
                        return null;
                    case WriteResult.Outdated:
                        return await FindAsync(entry.Subject);
                }
            }

            entry = view.Final ?? entry;
        }

        return KeepHere(entry, null, purges, begun) ? entry : null;
    }

    /// <summary>Whether this process holds a fresh final answer.</summary>
    public bool Holds(CacheKey key) => memory.Find(key) is { Entry: { Kind: EntryKind.Final } entry } && entry.IsFresh(clock.GetUtcNow());

    /// <summary>As <see cref="GetAsync"/>, but an interim answer from before <paramref name="notBefore"/> does not do, fresh or not.</summary>
    public async Task<CacheResult> RefreshAsync(CacheKey key, Origin origin, string requestId, DateTimeOffset notBefore)
    {
        var answer = await _flights.JoinOrBegin(key, flight => plan.FlyAsync(flight, origin, requestId, Suffices), out var joined).Landed;
        return joined ? answer.Joined() : answer;

        bool Suffices(CacheEntry entry) => entry.Kind is EntryKind.Final || entry.StoredAt >= notBefore;
    }

    /// <summary>What is at hand, fresh, in this process or in Redis. Asks the origin for nothing.</summary>
    public async ValueTask<CacheEntry?> FindAsync(CacheKey key)
    {
        var now = clock.GetUtcNow();
        if (memory.Find(key) is { } held && held.MayBeGiven(now, clock.GetTimestamp()))
        {
            return held.Entry;
        }

        var purges = Purges;
        var begun = clock.GetTimestamp();
        var view = await shared.ReadAsync(key);
        if (view.Final is { } final)
        {
            KeepHere(final, view.Epoch, purges, begun); // what a caller is told, its replica knows, whatever becomes of Redis
        }

        return view.Best is { } theirs && theirs.IsFresh(clock.GetUtcNow()) ? theirs : null;
    }

    /// <summary>Another replica has something newer: what this process holds is looked for in Redis before it is believed again.</summary>
    public void DoubtHere(CacheKey key)
    {
        if (memory.Find(key) is { Entry.Kind: not EntryKind.Final })
        {
            memory.Forget(key);
        }
    }

    /// <summary>Forgets a key on all replicas, fetches under way included. False where Redis is configured but did not confirm: then it is repeated until it does.</summary>
    public async Task<bool> PurgeAsync(CacheKey key)
    {
        metrics.Purged();
        var confirmed = !shared.IsConfigured || await shared.PurgeAsync(key);
        ForgetHere(key);
        await fleet.SayAsync(Purge, key.Id);
        return confirmed;
    }

    /// <summary>From now on forgets what other replicas purge.</summary>
    public void HearPurges()
    {
        fleet.Listen(Purge, HearPurge);
        shared.PurgeConfirmed += key => _ = fleet.SayAsync(Purge, key.Id); // it never throws
    }

    private bool HearPurge(string[] words)
    {
        if (words is not [var text] || !GenerationId.TryParse(text, null, out var id))
        {
            return false;
        }

        ForgetHere(new CacheKey(id.Value));
        return true;
    }

    private void ForgetHere(CacheKey key)
    {
        Interlocked.Increment(ref _purges);
        _flights.Doom(key);
        memory.Forget(key);
    }

    /// <summary>Keeps an answer in this process. False where its key may have been purged since.</summary>
    private bool KeepHere(CacheEntry entry, string? epoch, long purges, long verifiedAt)
    {
        if (Purges == purges)
        {
            memory.Keep(new Held(entry, memory.LookAgainAt(shared.IsConfigured), epoch, verifiedAt));
        }

        if (Purges == purges)
        {
            return true;
        }

        memory.Forget(entry.Subject);
        return false;
    }

    private async ValueTask<CacheResult> JoinAsync(CacheKey key, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        var flight = _flights.JoinOrBegin(key, flight => plan.FlyAsync(flight, origin, requestId), out var joined);
        var answer = await flight.Landed.WaitAsync(cancellationToken);
        if (joined && flight.Context is { } served)
        {
            activity?.AddLink(new ActivityLink(served));
        }

        return Told(joined ? answer.Joined() : answer, activity);
    }

    private void Refresh(Held held, DateTimeOffset now, Origin origin, string requestId)
    {
        if (held.TryClaimRefresh(now, now + options.Value.CoverRetry))
        {
            _flights.JoinOrBegin(held.Entry.Subject, flight => plan.FlyAsync(flight, origin, requestId), out _);
        }
    }

    /// <summary>An answer that nobody had to wait for; its span is made only where somebody listens.</summary>
    private CacheResult Found(CacheResult answer)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        return Told(answer, activity);
    }

    private CacheResult Told(CacheResult answer, Activity? activity)
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
