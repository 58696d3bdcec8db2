using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Polling;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>Reads the state that a new waiter gets first, at the lowest cost.</summary>
internal sealed class FirstSnapshotReader(
    ResponseCache cache, GenerationReader reader, PollTargets targets, PollSchedule schedule, IOptions<WaitingOptions> options, TimeProvider clock)
{
    /// <summary>
    /// The state from the poll target, else from the cache, else from the upstream.
    /// Throws <see cref="UpstreamException"/> if the upstream read fails.
    /// </summary>
    /// <param name="id">The generation.</param>
    /// <param name="target">Its poll target.</param>
    /// <param name="requestId">The caller's request.</param>
    /// <param name="lease">The lease that an upstream request is charged to, if this read starts one.</param>
    /// <param name="cancellationToken">Cancels the wait of this caller only; a started upstream request continues.</param>
    public async ValueTask<GenerationSnapshot> ReadAsync(GenerationId id, PollTarget target, string requestId, RateLimitLease? lease, CancellationToken cancellationToken) =>
        await FindAsync(id, target) ?? await FetchAsync(id, target, requestId, lease, cancellationToken);

    /// <summary>The part of <see cref="ReadAsync"/> that never asks the upstream: the state from the poll target, else from the cache; null if neither has a recent one.</summary>
    public async ValueTask<GenerationSnapshot?> FindAsync(GenerationId id, PollTarget target) =>
        FindRecent(target, id) ?? (await cache.FindAsync(id, schedule.NotBefore(target)) is { } entry ? Update(target, entry) : null);

    /// <summary>The part of <see cref="ReadAsync"/> that follows if <see cref="FindAsync"/> has found nothing.</summary>
    public async ValueTask<GenerationSnapshot> FetchAsync(GenerationId id, PollTarget target, string requestId, RateLimitLease? lease, CancellationToken cancellationToken)
    {
        var before = target.Snapshot;
        try
        {
            return Update(target, (await reader.ReadAsync(id, requestId, lease, cancellationToken)).Entry!);
        }
        catch (UpstreamException exception) when (exception.Fault is UpstreamFault.NotFound && target.Snapshot is { Summary: not null } known)
        {
            // A known generation ends only with the second not-found response. One that had ended is not polled, so no second one follows.
            return known.IsTerminal && ReferenceEquals(known, before) ? GenerationSnapshot.Absent(id, clock.GetUtcNow()) : known;
        }
    }

    /// <summary>
    /// The target's snapshot, if the cache has had no newer state and the snapshot is final and fresh, or younger than one and a half <c>Waiting:PollEvery</c>. A final
    /// entry in memory updates it first.
    /// </summary>
    public GenerationSnapshot? FindRecent(PollTarget target, GenerationId id)
    {
        var now = clock.GetUtcNow();
        if (target.Snapshot is { Summary: not null } known && cache.TryGetFresh(id, now) is { Kind: EntryKind.Final } final && !ReferenceEquals(final, known.Entry))
        {
            targets.Update(final); // a plain read may have returned it already, before the cache's event updates the target
        }

        return target.Snapshot is { } snapshot && IsRecent(snapshot.Entry, now) && !cache.HasNewerState(snapshot.Entry) ? snapshot : null;
    }

    /// <summary>Whether a read of a generation that had ended has returned not-found since. Its target keeps the final state.</summary>
    public bool IsDeleted(PollTarget target, GenerationSnapshot result) =>
        result.Summary is null && target.Snapshot is { Summary.IsFinal: true } known && result.Entry.Outranks(known.Entry, clock.GetUtcNow());

    private GenerationSnapshot Update(PollTarget target, CacheEntry entry)
    {
        targets.Update(entry);
        var result = new GenerationSnapshot(entry);
        return target.Snapshot is { } known && !IsDeleted(target, result) ? known : result;
    }

    /// <summary>A final entry must be fresh: its links expire, and the target of a generation that has ended is not polled.</summary>
    private bool IsRecent(CacheEntry entry, DateTimeOffset now) => entry.Kind is EntryKind.Final
        ? entry.IsFresh(now)
        : entry.IsFresh(now) || (entry.Kind is EntryKind.Interim && entry.StoredAt + (options.Value.PollEvery * 1.5) > now && !entry.IsFromTheFuture(now));
}
