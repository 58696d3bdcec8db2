namespace LumaGateway.Tests.Shared.Histories;

/// <summary>Judges a history of simulated or real replicas. Each method returns the violations of one property.</summary>
internal static class HistoryChecker
{
    /// <summary>
    /// A replica that has returned a final state returns it to every later read. A purge that overlaps the reads excuses another state, a delete every later one.
    /// </summary>
    /// <param name="history">The history.</param>
    /// <param name="unordered">Versions that differ by less have no order.</param>
    public static IEnumerable<string> FinalStays(IReadOnlyCollection<HistoryCall> history, long unordered = 0)
    {
        var removals = history.Where(call => call.Operation is HistoryOperation.Purge or HistoryOperation.Delete).ToLookup(call => call.Key);
        foreach (var reads in history.Where(call => call is { Operation: HistoryOperation.Read, End: not null }).GroupBy(call => (call.Replica, call.Key)))
        {
            // Of the final reads that ended before, the one that began last is excused by the fewest removals.
            foreach (var after in reads.Where(read => read.State is not HistoryState.Final))
            {
                var before = reads.Where(read => read.State is HistoryState.Final && read.End < after.Begin && !(Math.Abs((read.Version - after.Version) ?? long.MaxValue) < unordered)).MaxBy(read => read.Begin);
                if (before is not null && !removals[after.Key].Any(removal => Excuses(removal, before, after)))
                {
                    yield return $"A final state was lost: {before}, then {after}";
                }
            }
        }
    }

    /// <summary>
    /// The calls of each key have an order in which no read returns a version that is lower than a proven one. Within a replica, a version is proven from the end of its call;
    /// on the other replicas, after <paramref name="lag"/>.
    /// </summary>
    /// <remarks>
    /// Versions of a key only rise. So such an order (a linearization) exists exactly if no read returns a version lower than one proven before it began: the reads, sorted by version, are
    /// that order.
    /// </remarks>
    /// <param name="history">The history.</param>
    /// <param name="lag">How long another replica may return an older version; null if replicas are not compared.</param>
    public static IEnumerable<string> NothingGoesBack(IReadOnlyCollection<HistoryCall> history, TimeSpan? lag)
    {
        foreach (var calls in history.GroupBy(call => call.Key))
        {
            var ofReplicas = calls.GroupBy(call => call.Replica).SelectMany(group => Compare(group, call => call.End ?? long.MaxValue, read => read.Begin));
            var ofAll = lag is { } delay ? Compare(calls.Where(call => call.End is not null), call => (call.EndAt + delay).Ticks, read => read.BeginAt.Ticks) : [];
            foreach (var (before, after) in ofReplicas.Concat(ofAll))
            {
                yield return $"An older version was returned: {before} proves {before.ProvenVersion}, then {after}";
            }
        }
    }

    /// <summary>All creates with one key return the same generation, and no replica returns not-found for it, unless it was deleted.</summary>
    public static IEnumerable<string> CreatesAreUnique(IReadOnlyCollection<HistoryCall> history)
    {
        foreach (var creates in history.Where(call => call.CreatedId is not null).GroupBy(call => call.Key))
        {
            if (creates.DistinctBy(call => call.CreatedId).Skip(1).FirstOrDefault() is { } other)
            {
                yield return $"Two generations for one key: {creates.First()}, then {other}";
            }
        }

        var created = history.Where(call => call.CreatedId is not null).GroupBy(call => call.CreatedId!).ToDictionary(calls => calls.Key, calls => calls.MinBy(call => call.End)!);
        var deleted = history.Where(call => call.Operation is HistoryOperation.Delete).Select(call => call.Key).ToHashSet();
        foreach (var read in history.Where(call => call.State is HistoryState.NotFound && !deleted.Contains(call.Key)))
        {
            if (created.TryGetValue(read.Key, out var create) && create.End < read.Begin)
            {
                yield return $"A created generation was not found: {create}, then {read}";
            }
        }
    }

    private static bool Excuses(HistoryCall removal, HistoryCall before, HistoryCall after) => removal.Operation is HistoryOperation.Delete
        ? removal.BeginAt <= after.EndAt
        : after.State is null || (removal.Begin < after.End && !(removal.IsConfirmed && removal.End < before.Begin));

    /// <summary>Returns each read that begins after a call has proven a higher version, with the call that proves the highest one.</summary>
    private static IEnumerable<(HistoryCall Before, HistoryCall After)> Compare(IEnumerable<HistoryCall> calls, Func<HistoryCall, long> provenFrom, Func<HistoryCall, long> beginOf)
    {
        HistoryCall[] all = [.. calls];
        HistoryCall[] proofs = [.. all.Where(call => call.ProvenVersion is not null).OrderBy(provenFrom)];
        var (next, highest) = (0, default(HistoryCall));
        foreach (var read in all.Where(call => call.Version is not null).OrderBy(beginOf))
        {
            for (; next < proofs.Length && provenFrom(proofs[next]) < beginOf(read); next++)
            {
                highest = highest is null || proofs[next].ProvenVersion > highest.ProvenVersion ? proofs[next] : highest;
            }

            if (highest is not null && read.Version < highest.ProvenVersion)
            {
                yield return (highest, read);
            }
        }
    }
}
