using LumaGateway.Problems;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using LumaGateway.Time;
using Medallion.Threading;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>
/// What a flight does to come to an answer: it looks again, waits for its turn among the replicas, fetches and keeps, all within one
/// deadline. Where the fetch fails, a final answer that is past its freshness covers the fault. Thread-safe.
/// </summary>
internal sealed class CacheFill(MemoryTier memory, RedisTier shared, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private const string Span = "fetch";

    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LaterLooks = TimeSpan.FromMilliseconds(120);

    /// <param name="flight">The flight.</param>
    /// <param name="origin">Where the answer comes from when the cache has none.</param>
    /// <param name="requestId">The request for which it is fetched.</param>
    /// <param name="suffices">What an entry of the cache must fulfil besides being good; null where any good one will do.</param>
    public async Task<CacheResult> FlyAsync(
        SingleFlight<CacheResult>.InFlightFetch flight, Origin origin, string requestId, Func<CacheEntry, bool>? suffices = null)
    {
        using var activity = Instrumentation.Activities.StartActivity(Span);
        flight.Context = activity?.Context;
        using var deadline = new Deadline(origin.Deadline, clock);
        var seen = await LookAsync(flight, suffices, isPatient: false);
        if (seen.Answer is { } found)
        {
            return found;
        }

        using var patience = suffices is null ? CoverIfSlow(flight, seen) : null;
        IDistributedSynchronizationHandle? turn = null;
        try
        {
            if (shared.IsConfigured)
            {
                (turn, seen) = await WaitForTurnAsync(flight, seen, suffices, deadline);
                if (seen.Answer is { } fetchedElsewhere)
                {
                    return fetchedElsewhere;
                }
            }

            return await FetchAsync(flight, origin, requestId, seen, deadline);
        }
        finally
        {
            _ = DistributedLocks.ReleaseAsync(turn);
        }
    }

    /// <summary>Looks in memory and Redis. An entry still good is the answer; another may serve as cover.</summary>
    private async Task<Seen> LookAsync(SingleFlight<CacheResult>.InFlightFetch flight, Func<CacheEntry, bool>? suffices, bool isPatient)
    {
        var held = memory.Find(flight.Key);
        var now = clock.GetUtcNow();
        if (held is not null && IsGood(held.Entry, now, suffices) && clock.GetTimestamp() < held.LookAgainAt)
        {
            return new Seen(held.Entry, held.Epoch, new CacheResult(held.Entry, CacheStatus.Hit, CacheTier.Memory));
        }

        var begun = clock.GetTimestamp();
        var view = await shared.ReadAsync(flight.Key, isPatient);
        now = clock.GetUtcNow(); // a patient look may outlast what it finds
        if (held is not null && MayBePurged(held, view))
        {
            memory.Forget(flight.Key);
            held = null;
        }

        // The newer of two interim entries may be fresh for a shorter time: its length is drawn at random.
        if (view.Best is { } theirs && (held is null || !held.Entry.Outranks(theirs, now)))
        {
            var answer = IsGood(theirs, now, suffices) ? new CacheResult(theirs, CacheStatus.Hit, CacheTier.Shared) : default(CacheResult?);
            return new Seen(Keep(flight, theirs, view.Epoch, begun).Entry, view.Epoch, answer);
        }

        if (held is not null && IsGood(held.Entry, now, suffices))
        {
            // Redis lost it, this process did not.
            if (view.IsReached && await shared.WriteAsync(held.Entry, view.Epoch) is not WriteResult.Kept)
            {
                memory.Forget(flight.Key);
                return await LookAsync(flight, suffices, isPatient); // purged or replaced at this moment
            }

            Keep(flight, held.Entry, view.IsReached ? view.Epoch : held.Epoch, view.IsReached ? begun : held.VerifiedAt);
            return new Seen(held.Entry, view.Epoch, new CacheResult(held.Entry, CacheStatus.Hit, CacheTier.Memory));
        }

        return new Seen(held?.Entry, view.Epoch, null);
    }

    /// <summary>
    /// Whether another replica may have purged what this process holds without its hearing of it: the key's mark is another one, or none can prove anything, as a mark that
    /// came after the last look may have run out by now.
    /// </summary>
    private bool MayBePurged(Held held, RedisView view) => shared.IsConfigured
        && ((view.Epoch is not null && view.Epoch != held.Epoch) || clock.GetElapsedTime(held.VerifiedAt) >= RedisTier.TrustedUnseen);

    /// <summary>Waits until this replica may fetch, another has fetched, or Redis cannot say whose turn it is.</summary>
    private async Task<(IDistributedSynchronizationHandle? Turn, Seen Seen)> WaitForTurnAsync(
        SingleFlight<CacheResult>.InFlightFetch flight, Seen seen, Func<CacheEntry, bool>? suffices, Deadline deadline)
    {
        var begun = clock.GetTimestamp();
        var fetchedElsewhere = default(long?); // when another replica was last known to be at it
        for (var pause = FirstLook; ; pause = pause * 1.5 < LaterLooks ? pause * 1.5 : LaterLooks)
        {
            var (turn, reached) = await shared.TryTakeTurnAsync(flight.Key);
            if (reached)
            {
                // Looked at after the lock was got or refused: whoever had it before has written by now, or failed.
                try
                {
                    seen = await LookAsync(flight, suffices, isPatient: true);
                }
                catch
                {
                    _ = DistributedLocks.ReleaseAsync(turn); // a lock that is held is renewed for as long as this process runs
                    throw;
                }

                if (seen.Answer is { } answer)
                {
                    _ = DistributedLocks.ReleaseAsync(turn);
                    metrics.WaitedForTurn(clock.GetElapsedTime(begun));
                    return (null, seen with { Answer = answer with { Status = CacheStatus.Collapsed } });
                }

                fetchedElsewhere = clock.GetTimestamp();
            }

            // Redis fell silent while another replica was fetching: that one is given the life of its lock to come back with an answer.
            if (turn is not null || (!reached && !(fetchedElsewhere is { } then && clock.GetElapsedTime(then) < options.Value.LockLifetime)))
            {
                metrics.WaitedForTurn(clock.GetElapsedTime(begun));
                return (turn, seen);
            }

            try
            {
                await Task.Delay(pause, clock, deadline.Token);
            }
            catch (OperationCanceledException)
            {
                metrics.WaitedForTurn(clock.GetElapsedTime(begun));
                var fault = new UpstreamException(UpstreamFault.TimedOut, "Another replica's fetch outlasted the deadline.");
                return (null, seen with { Answer = Cover(flight, seen, fault) });
            }
        }
    }

    private async Task<CacheResult> FetchAsync(SingleFlight<CacheResult>.InFlightFetch flight, Origin origin, string requestId, Seen seen, Deadline deadline)
    {
        CacheEntry entry;
        var begun = clock.GetTimestamp();
        try
        {
            entry = await origin.FetchAsync(flight.Key, requestId, deadline);
        }
        catch (UpstreamException fault)
        {
            return Cover(flight, seen, fault);
        }

        if (entry.Kind is EntryKind.Interim && seen.Entry is { Kind: EntryKind.Final })
        {
            return Cover(flight, seen, null); // what was final once stays so
        }

        var result = flight.IsDoomed ? WriteResult.Purged : await shared.WriteAsync(entry, seen.Epoch);
        if (result is WriteResult.Kept)
        {
            Keep(flight, entry, seen.Epoch, begun);
        }
        else if (result is WriteResult.Outdated && (await LookAsync(flight, null, isPatient: true)).Answer is { } newer)
        {
            return newer with { Status = CacheStatus.Collapsed }; // this replica was stopped, or slow, and lost its turn
        }

        return new CacheResult(entry, CacheStatus.Miss, CacheTier.None);
    }

    /// <summary>The answer where the origin had no better one: the final entry at hand, or the fault.</summary>
    private CacheResult Cover(SingleFlight<CacheResult>.InFlightFetch flight, Seen seen, UpstreamException? fault)
    {
        var now = clock.GetUtcNow();
        var known = memory.Find(flight.Key)?.Entry ?? seen.Entry; // memory may have got a newer one while the origin was asked
        if (known is not { } entry || (fault is not null && !entry.MayCover(now)))
        {
            return new CacheResult(null, CacheStatus.Miss, CacheTier.None, fault);
        }

        if (entry.IsFresh(now))
        {
            return new CacheResult(entry, CacheStatus.Hit, CacheTier.Memory); // only its eager refresh failed
        }

        var verifiedAt = memory.Find(flight.Key) is { } held && ReferenceEquals(held.Entry, entry) ? held.VerifiedAt : clock.GetTimestamp();
        Keep(flight, entry, seen.Epoch, verifiedAt).Cover(fault, now + options.Value.CoverRetry);
        return new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault);
    }

    /// <summary>An origin that takes too long is covered as one that fails (RFC 5861): callers have the old answer, and the flight goes on.</summary>
    private ITimer? CoverIfSlow(SingleFlight<CacheResult>.InFlightFetch flight, Seen seen)
    {
        return seen.Entry is { } entry && entry.MayCover(clock.GetUtcNow()) ? clock.CreateTimer(_ => Cover(entry), null, options.Value.CoverAfter, Timeout.InfiniteTimeSpan) : null;

        void Cover(CacheEntry entry)
        {
            var now = clock.GetUtcNow();
            var fault = new UpstreamException(UpstreamFault.TimedOut, "A refresh takes longer than Cache:CoverAfter.");
            if (memory.Find(flight.Key) is { } held && !held.Entry.IsFresh(now))
            {
                held.Cover(fault, now + options.Value.CoverRetry); // who comes now does not wait either
            }

            flight.Land(new CacheResult(entry, CacheStatus.Stale, CacheTier.Memory, fault));
        }
    }

    /// <summary>Keeps an entry in this process, unless it was purged since the flight began.</summary>
    private Held Keep(SingleFlight<CacheResult>.InFlightFetch flight, CacheEntry entry, string? epoch, long verifiedAt)
    {
        var held = new Held(entry, memory.LookAgainAt(shared.IsConfigured), epoch, verifiedAt);
        if (flight.IsDoomed)
        {
            return held;
        }

        held = memory.Keep(held);
        if (flight.IsDoomed)
        {
            memory.Forget(flight.Key);
        }

        return held;
    }

    /// <summary>Good is fresh and not near its end: a fetch begun for a refresh must not be content with what it is to refresh.</summary>
    private static bool IsGood(CacheEntry entry, DateTimeOffset now, Func<CacheEntry, bool>? suffices) =>
        entry.IsFresh(now) && now < entry.EagerFrom && (suffices is null || suffices(entry));

    /// <summary>What a look found: the best entry, the key's purge mark, and the answer if the entry is good enough to be one.</summary>
    private readonly record struct Seen(CacheEntry? Entry, string? Epoch, CacheResult? Answer);
}
