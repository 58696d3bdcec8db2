using System.Globalization;
using LumaGateway.Caching;
using LumaGateway.Problems;
using LumaGateway.Tests.Shared.Histories;

namespace LumaGateway.Tests.Simulation;

/// <summary>Judges the history of a run. Each method returns the violations of one property.</summary>
internal static class Checkers
{
    private static readonly DateTimeOffset Start = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(9);

    public static IEnumerable<string> Check(Simulation run) =>
        [.. FinalStays(run), .. NothingOlderThanAPurge(run), .. OneBilledCreate(run), .. OneRequestAtATime(run), .. EveryCallerGetsAResult(run), .. Recovers(run), .. NothingGoesBack(run)];

    private static IEnumerable<string> FinalStays(Simulation run) =>
        HistoryChecker.FinalStays([.. ReadsOf(run), .. PurgesOf(run), .. run.Schedule.Generations.Select((generation, key) => new HistoryCall("", $"g{key}", HistoryOperation.Delete, 0, 0) { BeginAt = generation.DeletedFrom ?? TimeSpan.MaxValue })]);

    private static IEnumerable<string> NothingOlderThanAPurge(Simulation run)
    {
        var isSteady = !run.Schedule.HasLag && !run.Schedule.Has(OperationKind.Failover, OperationKind.RedisDown, OperationKind.RepliesLost, OperationKind.ReadOnly, OperationKind.RedisSlow, OperationKind.Pause, OperationKind.Crash);
        return run.Schedule.Has(OperationKind.Failover) // it loses purges
            ? []
            : HistoryChecker.NothingGoesBack([.. ReadsOf(run).Select(read => read with { ProvenVersion = null }), .. PurgesOf(run)], isSteady ? Simulation.MemoryLifetime + TimeSpan.FromSeconds(1) : null);
    }

    private static IEnumerable<string> OneBilledCreate(Simulation run) => run.Upstream.Billed.Where(pair => pair.Value > 1).Select(pair => $"create {pair.Key} was billed {pair.Value} times");

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

    private static IEnumerable<string> EveryCallerGetsAResult(Simulation run)
    {
        var pauses = run.Schedule.Operations.Where(operation => operation.Kind is OperationKind.Pause).Aggregate(TimeSpan.Zero, (sum, operation) => sum + operation.Length);
        return run.Reads.Where(read => !read.Process.IsDead && (read.EndStep is null || read.EndAt - read.BeginAt > MaxWait + pauses)).Select(read => $"g{read.Key}: read of step {read.BeginStep} took until {read.EndAt}");
    }

    private static IEnumerable<string> Recovers(Simulation run) =>
        run.Reads.Where(read => read.IsLast && read.Result.Entry is null && read.Result.Fault is { Fault: not UpstreamFault.TimedOut }).Select(read => $"g{read.Key}: no entry after the last fault: {read.Result.Fault?.Fault}");

    /// <summary>
    /// Without faults, a replica returns nothing that was requested before an earlier final or not-found result. Listed entries are not judged: without a timely response
    /// of Redis they are in the memory of one replica only.
    /// </summary>
    private static IEnumerable<string> NothingGoesBack(Simulation run)
    {
        if (run.Schedule.Operations.Any(operation => operation.Kind is OperationKind.PutListed or (>= OperationKind.RedisDown and not OperationKind.Pause)))
        {
            yield break;
        }

        foreach (var violation in HistoryChecker.NothingGoesBack([.. ReadsOf(run)], null))
        {
            yield return violation;
        }
    }

    /// <summary>A later entry has a later request time. Only a final or not-found entry proves that a lower version is wrong.</summary>
    private static IEnumerable<HistoryCall> ReadsOf(Simulation run) => run.Reads.Where(read => read.EndStep is not null).Select(read => new HistoryCall(NameOf(run, read.Process), $"g{read.Key}", HistoryOperation.Read, read.BeginStep, read.EndStep)
    {
        BeginAt = read.BeginAt,
        EndAt = read.EndAt,
        State = read.Result.Entry is { } entry ? StateOf(entry.Kind) : null,
        Version = read.Result.Entry?.RequestedAt.Ticks,
        ProvenVersion = read.Result.Entry is { Kind: not EntryKind.Interim } settled ? settled.RequestedAt.Ticks : null,
    });

    private static IEnumerable<HistoryCall> PurgesOf(Simulation run) => run.Purges.Select(purge => new HistoryCall(NameOf(run, purge.Process), $"g{purge.Key}", HistoryOperation.Purge, purge.BeginStep, purge.EndStep)
    {
        BeginAt = purge.BeginAt,
        EndAt = purge.EndAt,
        IsConfirmed = purge.IsConfirmed,
        ProvenVersion = purge.EndStep is null ? null : (Start + purge.BeginAt).Ticks,
    });

    /// <summary>A restarted replica has the name of the one before, but another memory.</summary>
    private static string NameOf(Simulation run, SimulatedProcess process) => string.Create(
        CultureInfo.InvariantCulture,
        $"{process.Name}.{run.Reads.Select(read => read.Process).Concat(run.Purges.Select(purge => purge.Process)).Where(other => other.Name == process.Name).Distinct().ToList().IndexOf(process)}");

    private static HistoryState StateOf(EntryKind kind) => kind switch
    {
        EntryKind.Final => HistoryState.Final,
        EntryKind.Interim => HistoryState.Interim,
        _ => HistoryState.NotFound,
    };
}
