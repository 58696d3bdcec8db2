using LumaGateway.Caching;
using LumaGateway.Jobs;
using LumaGateway.Problems;

namespace LumaGateway.Tests.Simulation;

/// <summary>Judges the history of a run. Each method returns the violations of one property.</summary>
internal static class Checkers
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(9);

    public static IEnumerable<Violation> Check(Simulation run) =>
    [
        .. Of(Property.FinalStays, FinalStays(run)),
        .. Of(Property.NothingOlderThanAPurge, NothingOlderThanAPurge(run)),
        .. Of(Property.OneBilledCreate, OneBilledCreate(run)),
        .. Of(Property.OneRequestAtATime, OneRequestAtATime(run)),
        .. Of(Property.EveryCreateHasItsRecord, EveryCreateHasItsRecord(run)),
        .. Of(Property.SlotsLimitJobs, SlotsLimitJobs(run)),
        .. Of(Property.NothingIsLeft, NoSlotIsLeft(run)),
        .. Of(Property.ReadsEnd, ReadsEnd(run)),
        .. Of(Property.Recovers, Recovers(run)),
        .. Of(Property.NothingGoesBack, NothingGoesBack(run)),
    ];

    private static IEnumerable<Violation> Of(Property property, IEnumerable<string> texts) => texts.Select(text => new Violation(property, text));

    private static IEnumerable<string> FinalStays(Simulation run)
    {
        foreach (var (before, after) in Sequences(run).Where(pair => pair.Before.Result.Entry is { Kind: EntryKind.Final }))
        {
            var isDeleted = run.Schedule.Generations[before.Key].DeletedFrom <= after.EndAt;
            // The message of an earlier purge may remove the entry late; the next fetch may fail, but it does not return an older state.
            var isFailedAfterPurge = after.Result.Entry is null && run.Purges.Exists(purge => purge.Key == before.Key);
            if (after.Result.Entry is not { Kind: EntryKind.Final } && !isDeleted && !isFailedAfterPurge && !IsPurgedMeanwhile(run, before, after) && !IsOrderUnknown(run, before, after))
            {
                yield return $"g{before.Key}: final in step {before.EndStep} is {after.Result.Entry?.Kind} {after.Result.Fault?.Fault} in step {after.EndStep}";
            }
        }
    }

    private static IEnumerable<string> NothingOlderThanAPurge(Simulation run)
    {
        var losesPurges = run.Schedule.Has(OperationKind.Failover);
        var isSteady = !run.Schedule.HasLag && !run.Schedule.Has(OperationKind.Failover, OperationKind.RedisDown, OperationKind.RepliesLost, OperationKind.ReadOnly, OperationKind.RedisSlow, OperationKind.ConnectionSlow, OperationKind.Pause, OperationKind.Crash);
        foreach (var purge in run.Purges.Where(purge => purge.EndStep is not null && !losesPurges))
        {
            foreach (var read in run.Reads.Where(read => read.Key == purge.Key && read.BeginStep > purge.EndStep && read.Result.Entry is { } entry && run.Upstream.RequestTimeOf(entry) < purge.BeginAt))
            {
                if (read.Process == purge.Process || (isSteady && read.BeginAt > purge.EndAt + Simulation.MemoryLifetime + TimeSpan.FromSeconds(1)))
                {
                    yield return $"g{read.Key}: read in step {read.EndStep} is older than the purge in step {purge.BeginStep}";
                }
            }
        }
    }

    private static IEnumerable<string> OneBilledCreate(Simulation run) => run.Upstream.Billed.Where(pair => pair.Value > 1).Select(pair => $"create {pair.Key} was billed {pair.Value} times");

    private static IEnumerable<string> EveryCreateHasItsRecord(Simulation run) =>
        run.Creates.Where(create => run.Redis.ValueOf(JobKeys.Of(create.Attempt)) is null && (create.Id is not { } id || run.Redis.ValueOf(JobKeys.Of(id.Value)) is null)).Select(create => $"{create.Id}: no record");

    /// <summary>If the ledger fails, creates pass without a slot.</summary>
    private static IEnumerable<string> SlotsLimitJobs(Simulation run)
    {
        var jobs = run.Upstream.Jobs;
        return LedgerMayFail(run)
            ? []
            : jobs.Where(job => jobs.Count(other => other.From <= job.From && other.To > job.From) > SimulatedUpstream.MaxConcurrentJobs).Select(job => $"{job.Id} began at {job.From} without a free slot");
    }

    /// <summary>A crashed replica, a lost response and a failed ledger leave leases that expire by themselves.</summary>
    private static IEnumerable<string> NoSlotIsLeft(Simulation run) =>
        LedgerMayFail(run) || run.Schedule.Has(OperationKind.Crash, OperationKind.UpstreamFails) ? [] : run.Redis.Leases.Select(lease => $"the slot of {(lease.EndsWith('/') ? "a create" : lease)} is left");

    private static bool LedgerMayFail(Simulation run) => run.Schedule.HasLag || run.Schedule.Operations.Any(operation => operation.Kind is >= OperationKind.RedisDown and <= OperationKind.ConnectionSlow);

    /// <summary>Without lag and faults of Redis or a replica, the upstream has one request for a key at a time. List requests are not counted.</summary>
    private static IEnumerable<string> OneRequestAtATime(Simulation run)
    {
        if (run.Schedule.Operations.Any(operation => operation.Kind is >= OperationKind.RedisDown and <= OperationKind.Crash or OperationKind.PutListed) || run.Schedule.HasLag)
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
            .Where(read => !read.Process.IsDead && (read.EndStep is null || read.EndAt - read.BeginAt > pauses + LimitOf(read)))
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

        foreach (var (before, after) in Sequences(run))
        {
            if (before.Result.Entry is { Kind: not EntryKind.Interim } one && run.IsStored(one) && after.Result.Entry is { } two && run.Upstream.RequestTimeOf(two) < run.Upstream.RequestTimeOf(one) && !IsOrderUnknown(run, before, after) && !IsPurgedMeanwhile(run, before, after))
            {
                yield return $"g{before.Key}: {after.Result.Entry.Kind} in step {after.EndStep} is older than {one.Kind} in step {before.EndStep}";
            }
        }
    }

    /// <summary>Whether a purge may have removed the first entry. A fetch that began before the purge returns its older entry to its callers.</summary>
    private static bool IsPurgedMeanwhile(Simulation run, ReadRecord before, ReadRecord after) =>
        run.Purges.Exists(purge => purge.Key == before.Key && purge.BeginStep < after.EndStep && !(purge.IsConfirmed && purge.EndStep < before.BeginStep));

    /// <summary>The clocks of replicas differ: of entries that were requested within the difference, the earlier one may count as the later.</summary>
    private static bool IsOrderUnknown(Simulation run, ReadRecord before, ReadRecord after) =>
        run.Schedule.HasClockSkew && after.Result.Entry is { } two && (run.Upstream.RequestTimeOf(before.Result.Entry!) - run.Upstream.RequestTimeOf(two)).Duration() < Schedule.MaxClockSkew;

    /// <summary>Reads of a key on one replica, of which the second began after the first had ended.</summary>
    private static IEnumerable<(ReadRecord Before, ReadRecord After)> Sequences(Simulation run) =>
        from before in run.Reads
        where before is { EndStep: not null, HasLeft: false }
        from after in run.Reads
        where after is { EndStep: not null, HasLeft: false } && after.Process == before.Process && after.Key == before.Key && after.BeginStep > before.EndStep
        select (before, after);
}
