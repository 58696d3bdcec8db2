using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Polling;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>What a caller that begins to wait is told first, as cheaply as it can be had.</summary>
internal sealed class FirstSnapshotReader(GenerationReader reader, PollTargets table, ListSweep lists, IOptions<WaitingOptions> options, TimeProvider clock)
{
    /// <summary>
    /// The state as it is known: from the watch, else from the cache, else from the upstream. Null where the upstream's list will tell soon.
    /// Throws <see cref="UpstreamException"/> where the upstream, asked for this caller, gives no answer.
    /// </summary>
    /// <param name="id">The generation.</param>
    /// <param name="watch">Its watch.</param>
    /// <param name="requestId">The caller's request.</param>
    /// <param name="payer">Who is charged for the exchange with the upstream, if this begins one.</param>
    /// <param name="cancellationToken">Frees this caller only.</param>
    public async ValueTask<GenerationSnapshot?> GetAsync(GenerationId id, PollTarget watch, string requestId, RateLimitLease? payer, CancellationToken cancellationToken)
    {
        if (Recent(watch, id) is { } known)
        {
            return known;
        }

        if (await reader.FindAsync(id) is not { } entry)
        {
            if (lists.Pays(table.WantedHere))
            {
                return null;
            }

            entry = (await reader.ReadAsync(id, requestId, payer, cancellationToken)).Entry!;
        }

        table.Learn(entry);
        return watch.GenerationSnapshot ?? new GenerationSnapshot(entry);
    }

    /// <summary>What the watch knows, or the end where memory has it, if that is not too old to be said of this moment.</summary>
    public GenerationSnapshot? Recent(PollTarget watch, GenerationId id)
    {
        var now = clock.GetUtcNow();
        if (watch.GenerationSnapshot is { IsLast: false } && reader.TryGetFresh(id, now) is { Kind: EntryKind.Final } final)
        {
            table.Learn(final); // memory has it a moment before those who wait are told, and somebody may have read it there
        }

        return watch.GenerationSnapshot is { } news && (news.IsLast || (news.Entry.StoredAt + (options.Value.PollEvery * 1.5) > now && !news.Entry.IsFromTheFuture(now))) ? news : null;
    }
}
