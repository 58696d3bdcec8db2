using System.Diagnostics;
using LumaGateway.Contracts;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>
/// Answers from memory, else from Redis, else from the origin, which is asked once however many ask here, on all replicas.
/// A final answer past its freshness covers the origin's faults. Thread-safe; see README.md beside this file for the rules.
/// </summary>
internal sealed class ResponseCache(
    MemoryLevel memory, SharedLevel shared, FleetChannel fleet, IOptions<CacheOptions> options, CacheMetrics metrics, TimeProvider clock)
{
    private readonly Flights<CacheAnswer> _flights = new();

    /// <summary>The answer to <paramref name="key"/>, with an entry, a fault, or both. The token frees this caller only: the fetch goes on.</summary>
    public ValueTask<CacheAnswer> GetAsync(CacheKey key, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (memory.Find(key) is { } held)
        {
            if (held.Entry.IsFresh(now) && now < held.LookAgainAt)
            {
                if (now >= held.Entry.EagerFrom)
                {
                    Refresh(held, now, origin, requestId);
                }

                return ValueTask.FromResult(Told(new CacheAnswer(held.Entry, CacheStatus.Hit, CacheLevel.Memory)));
            }

            if (held.Covers is { } fault && held.Entry.MayCover(now))
            {
                // The origin failed a moment ago: whether it is back is found out in nobody's time.
                Refresh(held, now, origin, requestId);
                return ValueTask.FromResult(Told(new CacheAnswer(held.Entry, CacheStatus.Stale, CacheLevel.Memory, fault)));
            }
        }

        return JoinAsync(key, origin, requestId, cancellationToken);
    }

    /// <summary>Forgets a key on all replicas, fetches under way included. False where Redis is configured but did not confirm.</summary>
    public async Task<bool> PurgeAsync(CacheKey key)
    {
        metrics.Purged();
        var confirmed = !shared.IsConfigured || await shared.PurgeAsync(key);
        ForgetHere(key);
        await fleet.SayPurgedAsync(key);
        return confirmed;
    }

    /// <summary>Forgets a key in this process alone; <see cref="FleetChannel"/> calls it when another replica purged.</summary>
    public void ForgetHere(CacheKey key)
    {
        _flights.Doom(key);
        memory.Forget(key);
    }

    private async ValueTask<CacheAnswer> JoinAsync(CacheKey key, Origin origin, string requestId, CancellationToken cancellationToken)
    {
        using var activity = Instrumentation.Activities.StartActivity("cache fetch");
        var flight = _flights.JoinOrBegin(key, flight => FlyAsync(flight, key, origin, requestId), out var joined);
        if (joined && flight.Context is { } served)
        {
            activity?.AddLink(new ActivityLink(served));
        }

        var answer = await flight.Landed.WaitAsync(cancellationToken);
        answer = Told(joined ? answer.Joined() : answer);
        activity?.SetTag("luma_gateway.cache.status", CacheMetrics.NameOf(answer.Status));
        return answer;
    }

    private void Refresh(Held held, DateTimeOffset now, Origin origin, string requestId)
    {
        if (held.TryClaimRefresh(now, now + options.Value.CoverRetry))
        {
            var key = held.Entry.Subject;
            _flights.JoinOrBegin(key, flight => FlyAsync(flight, key, origin, requestId), out _);
        }
    }

    private CacheAnswer Told(CacheAnswer answer)
    {
        metrics.Answered(answer);
        return answer;
    }

    private async Task<CacheAnswer> FlyAsync(Flights<CacheAnswer>.Flight flight, CacheKey key, Origin origin, string requestId)
    {
        using var deadline = new Deadline(origin.Deadline, clock);
        var seen = await LookAsync(key);
        if (seen.Answer is { } found)
        {
            return found;
        }

        IAsyncDisposable? lease = null;
        try
        {
            if (shared.IsConfigured)
            {
                (lease, seen) = await WaitForTurnAsync(key, seen, deadline);
                if (seen.Answer is { } fetchedElsewhere)
                {
                    return fetchedElsewhere;
                }
            }

            return await FetchAsync(flight, key, origin, requestId, seen, deadline);
        }
        finally
        {
            SharedLevel.Release(lease);
        }
    }

    /// <summary>Looks in memory and Redis. An entry still good is the answer; another may serve as cover.</summary>
    private async Task<Seen> LookAsync(CacheKey key)
    {
        var held = memory.Find(key);
        var now = clock.GetUtcNow();
        if (held is not null && IsGood(held.Entry, now) && now < held.LookAgainAt)
        {
            return new Seen(held.Entry, held.Epoch, new CacheAnswer(held.Entry, CacheStatus.Hit, CacheLevel.Memory));
        }

        var view = await shared.ReadAsync(key);
        if (held is not null && view.IsReached && view.Epoch is not null && view.Epoch != held.Epoch)
        {
            memory.Forget(key); // purged by another replica, whose word did not reach this one
            held = null;
        }

        if (view.Best is { } theirs && (held is null || theirs.FreshUntil >= held.Entry.FreshUntil))
        {
            var answer = IsGood(theirs, now) ? new CacheAnswer(theirs, CacheStatus.Hit, CacheLevel.Shared) : default(CacheAnswer?);
            return new Seen(Hold(theirs, view.Epoch).Entry, view.Epoch, answer);
        }

        if (held is not null && IsGood(held.Entry, now))
        {
            Hold(held.Entry, view.Epoch);
            if (view.IsReached)
            {
                await shared.WriteAsync(held.Entry, view.Epoch); // Redis lost it, this process did not
            }

            return new Seen(held.Entry, view.Epoch, new CacheAnswer(held.Entry, CacheStatus.Hit, CacheLevel.Memory));
        }

        return new Seen(held?.Entry, view.Epoch, null);
    }

    /// <summary>Waits until this replica may fetch, another has fetched, or Redis cannot say whose turn it is.</summary>
    private async Task<(IAsyncDisposable? Lease, Seen Seen)> WaitForTurnAsync(CacheKey key, Seen seen, Deadline deadline)
    {
        var begun = clock.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(20); ; pause = pause < TimeSpan.FromMilliseconds(120) ? pause * 1.5 : pause)
        {
            var (lease, reached) = await shared.TryLockAsync(key);
            if (!reached)
            {
                return (null, seen);
            }

            // Looked at after the lock was got or refused: whoever had it before has written by now, or failed.
            seen = await LookAsync(key);
            if (seen.Answer is { } answer)
            {
                SharedLevel.Release(lease);
                return (null, seen with { Answer = answer with { Status = CacheStatus.Collapsed } });
            }

            if (lease is not null)
            {
                metrics.WaitedForTurn(clock.GetElapsedTime(begun));
                return (lease, seen);
            }

            try
            {
                await Task.Delay(pause, clock, deadline.Token);
            }
            catch (OperationCanceledException)
            {
                return (null, seen with { Answer = Cover(seen, new UpstreamException(UpstreamFault.TimedOut, "Another replica's fetch outlasted the deadline.")) });
            }
        }
    }

    private async Task<CacheAnswer> FetchAsync(
        Flights<CacheAnswer>.Flight flight, CacheKey key, Origin origin, string requestId, Seen seen, Deadline deadline)
    {
        CacheEntry entry;
        try
        {
            entry = await origin.FetchAsync(key, requestId, deadline);
        }
        catch (UpstreamException fault)
        {
            return Cover(seen, fault);
        }

        if (entry.Kind is EntryKind.Interim && seen.Entry is { Kind: EntryKind.Final } final)
        {
            return new CacheAnswer(final, CacheStatus.Stale, CacheLevel.Memory); // what was final once stays so
        }

        if (await shared.WriteAsync(entry, seen.Epoch))
        {
            Hold(entry, seen.Epoch);
            if (flight.IsDoomed)
            {
                memory.Forget(key); // purged since the fetch began
            }
        }

        return new CacheAnswer(entry, CacheStatus.Miss, CacheLevel.None);
    }

    private CacheAnswer Cover(Seen seen, UpstreamException fault)
    {
        var now = clock.GetUtcNow();
        if (seen.Entry is not { } entry || !entry.MayCover(now))
        {
            return new CacheAnswer(null, CacheStatus.Miss, CacheLevel.None, fault);
        }

        if (entry.IsFresh(now))
        {
            return new CacheAnswer(entry, CacheStatus.Hit, CacheLevel.Memory); // only its eager refresh failed
        }

        Hold(entry, seen.Epoch).Cover(fault, now + options.Value.CoverRetry);
        return new CacheAnswer(entry, CacheStatus.Stale, CacheLevel.Memory, fault);
    }

    private Held Hold(CacheEntry entry, string? epoch)
    {
        var lookAgainAt = shared.IsConfigured ? clock.GetUtcNow() + options.Value.MemoryLifetime : DateTimeOffset.MaxValue;
        return memory.Keep(new Held(entry, lookAgainAt, epoch));
    }

    /// <summary>Good is fresh and not near its end: a fetch begun for a refresh must not be content with what it is to refresh.</summary>
    private static bool IsGood(CacheEntry entry, DateTimeOffset now) => now < entry.EagerFrom;

    /// <summary>What a look found: the best entry, the key's purge mark, and the answer if the entry is good enough to be one.</summary>
    private readonly record struct Seen(CacheEntry? Entry, string? Epoch, CacheAnswer? Answer);
}
