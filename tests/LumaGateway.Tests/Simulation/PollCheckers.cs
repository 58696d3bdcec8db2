namespace LumaGateway.Tests.Simulation;

/// <summary>Judges the requests to the upstream, and the callers that wait.</summary>
internal static class PollCheckers
{
    /// <summary>The part of the poll interval that lies between two polls at least.</summary>
    private static readonly TimeSpan MinInterval = SimulatedSettings.PollEvery * 0.9;

    private static readonly TimeSpan MaxInterval = SimulatedSettings.PollEvery * 1.1;

    /// <summary>How long a fault has effects: the breakers of Redis stay open for a while, and the fetches of then take their deadline.</summary>
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(13);

    /// <summary>The tick of the timer of waits, and the one of the polling loop.</summary>
    private static readonly TimeSpan Ticks = TimeSpan.FromMilliseconds(300);

    /// <summary>A call starts at most one fetch, and a wait two: the first state, and the one at the end. Polls are bounded by the schedule.</summary>
    public static IEnumerable<string> RequestsAreBounded(Simulation run) =>
        [
            .. run.Source.Fetches.Where(static fetch => fetch.RequestId is not SimulatedCallers.ListRequest && !fetch.IsPoll).GroupBy(static fetch => fetch.RequestId)
                .Where(static call => call.Count() > (call.Key.StartsWith("wait", StringComparison.Ordinal) ? 2 : 1)).Select(static call => $"{call.Key} started {call.Count()} fetches"),
            .. TooManyRequests(run),
            .. PollsWithoutWaiters(run),
            .. PollsOfAReplica(run),
            .. PollsOfAllReplicas(run),
        ];

    public static IEnumerable<string> WaitsEnd(Simulation run)
    {
        var pauses = run.Schedule.Operations.Where(static operation => operation.Kind is OperationKind.Pause).Aggregate(TimeSpan.Zero, static (sum, operation) => sum + operation.Length);
        foreach (var wait in run.Reads.Where(static read => read.Wait is not null && !read.Process.IsDead))
        {
            var limit = Checkers.MaxWait + (wait.Wait!.Value > Checkers.MaxWait ? wait.Wait.Value : Checkers.MaxWait) + Ticks + pauses;
            if (wait.EndStep is null || wait.EndAt - wait.BeginAt > limit)
            {
                yield return $"g{wait.Key}: a wait of {wait.Wait} from {wait.BeginAt} took until {wait.EndAt}";
            }
            else if (FinalBefore(run, wait) is { } final && wait.EndAt > final)
            {
                yield return $"g{wait.Key}: a wait from {wait.BeginAt} to {wait.EndAt} did not end with the final state, until {final}";
            }
        }
    }

    /// <summary>One request to each account for each fetch.</summary>
    private static IEnumerable<string> TooManyRequests(Simulation run)
    {
        var (requests, fetches) = (run.Upstream.Requests.Count, run.Source.Fetches.Count);
        return requests > fetches * run.Schedule.Accounts ? [$"{requests} requests for {fetches} fetches"] : [];
    }

    /// <summary>A poll waits for the lock and then for the account at most until its deadline.</summary>
    private static IEnumerable<string> PollsWithoutWaiters(Simulation run) => Polls(run)
        .Where(poll => !run.Reads.Exists(wait => wait.Wait is not null && wait.Process == poll.Process && IsOf(wait, poll)
            && wait.BeginAt <= poll.From && (wait.EndStep is null || poll.From <= wait.EndAt + SimulatedSettings.Deadline + PausesOf(run))))
        .Select(static poll => $"{poll.Key}: polled at {poll.From}, but no caller waits");

    /// <summary>A replica keeps the interval after its own polls, whatever their result. A purge lets it fetch sooner.</summary>
    private static IEnumerable<string> PollsOfAReplica(Simulation run) => Polls(run)
        .Where(poll => Polls(run).Any(earlier => earlier.Key == poll.Key && earlier.Process == poll.Process && earlier.From < poll.From && poll.From - earlier.From < MinInterval)
            && !run.Purges.Exists(purge => SimulatedUpstream.KeyOf(purge.Key) == poll.Key))
        .Select(static poll => $"{poll.Key}: polled too soon at {poll.From}");

    /// <summary>With a working Redis, any request of any replica replaces a poll for that time.</summary>
    private static IEnumerable<string> PollsOfAllReplicas(Simulation run) => Checkers.IsDisturbed(run) || run.Schedule.HasClockSkew
        ? []
        : Polls(run)
            .Where(poll => run.Source.Fetches.Exists(earlier => earlier.Key == poll.Key && earlier.Kind is not null && earlier.RequestId is not SimulatedCallers.ListRequest
                && earlier.From < poll.From && poll.From - earlier.From < MinInterval) && !run.Purges.Exists(purge => SimulatedUpstream.KeyOf(purge.Key) == poll.Key))
            .Select(static poll => $"{poll.Key}: polled at {poll.From}, too soon after the request of another caller");

    private static IEnumerable<FetchRecord> Polls(Simulation run) => run.Source.Fetches.Where(static fetch => fetch.IsPoll);

    private static bool IsOf(ReadRecord read, FetchRecord fetch) => SimulatedUpstream.KeyOf(read.Key) == fetch.Key;

    private static TimeSpan PausesOf(Simulation run) =>
        run.Schedule.Operations.Where(static operation => operation.Kind is OperationKind.Pause).Aggregate(TimeSpan.Zero, static (sum, operation) => sum + operation.Length);

    /// <summary>Without faults at that time: until when a wait has seen the final state. Null if the run does not tell.</summary>
    private static TimeSpan? FinalBefore(Simulation run, ReadRecord wait)
    {
        var (_, finalFrom, deletedFrom) = run.Schedule.Generations[wait.Key];
        var fetches = run.Source.Fetches.Where(fetch => IsOf(wait, fetch)).ToList();
        if (run.Schedule.HasLag || deletedFrom is not null || fetches.Exists(static fetch => fetch.Kind is null))
        {
            return null;
        }

        // At most one fetch from before, then the interval, then one fetch. A purge discards the fetch in flight.
        var longest = fetches.Select(static fetch => fetch.To - fetch.From).DefaultIfEmpty().Max();
        var from = wait.BeginAt > finalFrom ? wait.BeginAt : finalFrom;
        var purges = run.Purges.Where(purge => purge.Key == wait.Key && purge.BeginStep < wait.EndStep).ToList();
        if (run.Schedule.HasClockSkew && purges.Count > 0 && purges.Max(static purge => purge.EndAt) + SimulatedSettings.Deadline is var unclearUntil && unclearUntil > from)
        {
            from = unclearUntil; // until then, a replica whose clock is ahead takes a state from after the purge for one from before it
        }

        var discarded = purges.Count(purge => purge.EndStep is null || purge.EndAt > from - longest);
        var until = from + longest + ((discarded + 1) * (MaxInterval + Ticks + longest)) + TimeSpan.FromSeconds(1);
        return run.Schedule.Operations.Any(fault => fault.Kind is >= OperationKind.RedisDown and not OperationKind.AccountRefuses && fault.IsWithin(from - Aftermath, until)) ? null : until;
    }
}
