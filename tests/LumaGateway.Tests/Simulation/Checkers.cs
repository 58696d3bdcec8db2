using System.Globalization;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Tests.Shared.Histories;

namespace LumaGateway.Tests.Simulation;

/// <summary>Judges the history of a run. Each method returns the violations of one property.</summary>
internal static class Checkers
{
    /// <summary>How long a read takes: the deadline is five seconds.</summary>
    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(9);

    public static IEnumerable<Violation> Check(Simulation run) =>
    [
        .. Of(Property.FinalStays, FinalStays(run)),
        .. Of(Property.NothingOlderThanAPurge, NothingOlderThanAPurge(run)),
        .. Of(Property.OneBilledCreate, AccountCheckers.OneBilledCreate(run)),
        .. Of(Property.OneRequestAtATime, OneRequestAtATime(run)),
        .. Of(Property.EveryCreateHasItsRecord, AccountCheckers.EveryCreateHasItsRecord(run)),
        .. Of(Property.SlotsLimitJobs, AccountCheckers.SlotsLimitJobs(run)),
        .. Of(Property.ReadsGoToTheAccount, AccountCheckers.ReadsGoToTheAccount(run)),
        .. Of(Property.NothingIsLeft, AccountCheckers.NoSlotIsLeft(run)),
        .. Of(Property.RequestsAreBounded, PollCheckers.RequestsAreBounded(run)),
        .. Of(Property.WaitsEnd, PollCheckers.WaitsEnd(run)),
        .. Of(Property.ReadsEnd, ReadsEnd(run)),
        .. Of(Property.Recovers, Recovers(run)),
        .. Of(Property.NothingGoesBack, NothingGoesBack(run)),
    ];

    private static IEnumerable<Violation> Of(Property property, IEnumerable<string> texts) => texts.Select(text => new Violation(property, text));

    private static IEnumerable<string> FinalStays(Simulation run) => HistoryChecker.FinalStays(
        [
            .. ReadsOf(run), .. PurgesOf(run),
            .. run.Schedule.Generations.Select((generation, key) => DeleteOf(SimulatedUpstream.KeyOf(key), generation.DeletedFrom ?? TimeSpan.MaxValue)),
            .. RemovalsByAnotherClock(run).Select(fetch => DeleteOf(fetch.Key, fetch.From)),
        ],
        UnorderedOf(run).Ticks);

    private static HistoryCall DeleteOf(GenerationId id, TimeSpan from) => new("", id.Value, HistoryOperation.Delete, 0, 0) { BeginAt = from };

    /// <summary>If the clocks of replicas differ, a not-found response may count as later than a final one that was requested after it. It then removes the final entry, as a delete does.</summary>
    private static IEnumerable<FetchRecord> RemovalsByAnotherClock(Simulation run) => run.Source.Fetches.Where(fetch => fetch.Kind is EntryKind.NotFound
        && run.Source.Fetches.Any(later => later.Key == fetch.Key && later.Kind is EntryKind.Final && later.From >= fetch.From && later.From - fetch.From < UnorderedOf(run)));

    private static IEnumerable<string> NothingOlderThanAPurge(Simulation run)
    {
        var isSteady = !run.Schedule.HasLag && !run.Schedule.Has(OperationKind.Failover, OperationKind.RedisDown, OperationKind.RepliesLost, OperationKind.ReadOnly, OperationKind.RedisSlow, OperationKind.ConnectionSlow, OperationKind.Pause, OperationKind.Crash);
        return run.Schedule.Has(OperationKind.Failover) // it loses purges
            ? []
            : HistoryChecker.NothingGoesBack([.. ReadsOf(run).Select(read => read with { ProvenVersion = null }), .. PurgesOf(run)], isSteady ? SimulatedSettings.MemoryLifetime + TimeSpan.FromSeconds(1) : null);
    }

    /// <summary>Whether a replica or Redis may respond late or not at all.</summary>
    public static bool IsDisturbed(Simulation run) => run.Schedule.HasLag || run.Schedule.Operations.Any(static operation => operation.Kind is >= OperationKind.RedisDown and <= OperationKind.Crash);

    /// <summary>Without lag and faults of Redis or a replica, the upstream has one request for a key at a time. List requests are not counted.</summary>
    private static IEnumerable<string> OneRequestAtATime(Simulation run)
    {
        if (IsDisturbed(run) || run.Schedule.Has(OperationKind.PutListed))
        {
            yield break;
        }

        var requests = run.Upstream.Requests;
        for (var index = 1; index < requests.Count; index++)
        {
            if (requests.Take(index).Any(other => other.Key == requests[index].Key && other.To > requests[index].From && requests[index].To > requests[index].From))
            {
                yield return $"{requests[index].Key}: two requests at once at {requests[index].From}";
            }
        }
    }

    /// <summary>A caller that disconnects ends its read at once; without lag, a timer fires on time.</summary>
    private static IEnumerable<string> ReadsEnd(Simulation run)
    {
        var pauses = run.Schedule.Operations.Where(operation => operation.Kind is OperationKind.Pause).Aggregate(TimeSpan.Zero, (sum, operation) => sum + operation.Length);
        return run.Reads
            .Where(read => read.Wait is null && !read.Process.IsDead && (read.EndStep is null || read.EndAt - read.BeginAt > pauses + LimitOf(read)))
            .Select(read => $"g{read.Key}: read of step {read.BeginStep} took until {read.EndAt}");

        TimeSpan LimitOf(ReadRecord read) => run.Schedule.HasLag ? MaxWait : read.Patience ?? MaxWait;
    }

    private static IEnumerable<string> Recovers(Simulation run) =>
        run.Reads.Where(read => read.IsLast && read.Result.Entry is null && read.Result.Fault is { Fault: not UpstreamFault.TimedOut }).Select(read => $"g{read.Key}: no entry after the last fault: {read.Result.Fault?.Fault}");

    /// <summary>
    /// Without faults of Redis and replicas, a replica returns nothing that was requested before an earlier final or not-found result. With list sweeps it is judged if Redis responds in time:
    /// otherwise a listed entry is in the memory of one replica only. Nor does another replica know an entry that Redis did not store, because its token was not read in time.
    /// </summary>
    private static IEnumerable<string> NothingGoesBack(Simulation run)
    {
        var isLate = run.Schedule.HasLag || run.Schedule.Has(OperationKind.Pause);
        if (run.Schedule.Operations.Any(operation => operation.Kind is >= OperationKind.RedisDown and <= OperationKind.Crash and not OperationKind.Pause) || (isLate && run.Schedule.Has(OperationKind.PutListed)))
        {
            yield break;
        }

        // A fetch that began before a purge returns its older entry to its callers.
        HistoryCall[] purges = [.. PurgesOf(run)];
        var reads = ReadsOf(run).Select(read => purges.Any(purge => purge.Key == read.Key && purge.Begin < read.End && !(purge.End < read.Begin)) ? read with { Version = null } : read);
        foreach (var violation in HistoryChecker.NothingGoesBack([.. reads], null))
        {
            yield return violation;
        }
    }

    /// <summary>The version of an entry is its true request time. A not-found response has none, so it is left out if the clocks differ. Only a final or not-found entry that Redis has stored proves that a lower version is wrong.</summary>
    private static IEnumerable<HistoryCall> ReadsOf(Simulation run) => run.Reads.Where(read => read is { EndStep: not null, HasLeft: false } && !(run.Schedule.HasClockSkew && IsNotFound(read))).Select(read => new HistoryCall(NameOf(run, read.Process), $"g{read.Key}", HistoryOperation.Read, read.BeginStep, read.EndStep)
    {
        BeginAt = read.BeginAt,
        EndAt = read.EndAt,
        State = read.Result.Entry is { } entry ? StateOf(entry.Kind) : IsNotFound(read) ? HistoryState.NotFound : null,
        Version = read.Result.Entry is { } returned ? run.Source.RequestTimeOf(returned).Ticks : null,
        ProvenVersion = read.Result.Entry is { Kind: not EntryKind.Interim } settled && run.IsStored(settled) ? (run.Source.RequestTimeOf(settled) - UnorderedOf(run)).Ticks : null,
    });

    private static IEnumerable<HistoryCall> PurgesOf(Simulation run) => run.Purges.Select(purge => new HistoryCall(NameOf(run, purge.Process), $"g{purge.Key}", HistoryOperation.Purge, purge.BeginStep, purge.EndStep)
    {
        BeginAt = purge.BeginAt,
        EndAt = purge.EndAt,
        IsConfirmed = purge.IsConfirmed,
        ProvenVersion = purge.EndStep is null ? null : purge.BeginAt.Ticks,
    });

    /// <summary>A restarted replica has the name of the one before, but another memory.</summary>
    private static string NameOf(Simulation run, SimulatedProcess process) => string.Create(
        CultureInfo.InvariantCulture,
        $"{process.Name}.{run.Reads.Select(read => read.Process).Concat(run.Purges.Select(purge => purge.Process)).Where(other => other.Name == process.Name).Distinct().ToList().IndexOf(process)}");

    /// <summary>The clocks of replicas differ: of entries that were requested within the difference, the earlier one may count as the later.</summary>
    private static TimeSpan UnorderedOf(Simulation run) => run.Schedule.HasClockSkew ? Schedule.MaxClockSkew : TimeSpan.Zero;

    private static bool IsNotFound(ReadRecord read) => read.Result is { Entry: null, Fault: { Fault: UpstreamFault.NotFound } };

    private static HistoryState StateOf(EntryKind kind) => kind switch
    {
        EntryKind.Final => HistoryState.Final,
        EntryKind.Interim => HistoryState.Interim,
        _ => HistoryState.NotFound,
    };
}
