using LumaGateway.Jobs;

namespace LumaGateway.Tests.Simulation;

/// <summary>Judges the creates, their records, and the accounts that they and their reads go to.</summary>
internal static class AccountCheckers
{
    public static IEnumerable<string> OneBilledCreate(Simulation run) => run.Upstream.Jobs.GroupBy(static job => job.Key).Where(static creates => creates.Skip(1).Any())
        .Select(static creates => $"create {creates.Key} was billed {creates.Count()} times: {string.Join(", ", creates.Select(static job => job.Account))}");

    /// <summary>The record is that of the generation, or that of the attempt, which has the hash of the key. It names the account.</summary>
    public static IEnumerable<string> EveryCreateHasItsRecord(Simulation run)
    {
        var attempts = run.Redis.Keys.Where(static key => key.StartsWith(JobKeys.Of(Job.AttemptPrefix), StringComparison.Ordinal)).Select(key => Job.Deserialize(run.Redis.ValueOf(key))!).ToList();
        foreach (var job in run.Upstream.Jobs)
        {
            var record = run.Redis.ValueOf(JobKeys.Of(job.Id.Value)) is { } bytes ? Job.Deserialize(bytes) : attempts.Find(attempt => attempt.IdempotencyKeyHash == SimulatedCreates.HashOf(job.Key));
            if (record is null)
            {
                yield return $"{job.Id}: no record";
            }
            else if (record.Account != job.Account && !MayKeepAttempt(run, record))
            {
                yield return $"{job.Id}: the record names {record.Account}, but {job.Account} has it";
            }
        }
    }

    /// <summary>If the ledger fails, creates pass without a slot.</summary>
    public static IEnumerable<string> SlotsLimitJobs(Simulation run) => LedgerMayFail(run)
        ? []
        : run.Upstream.Jobs
            .Where(job => run.Upstream.Jobs.Count(other => other.Account == job.Account && other.From <= job.From && other.To > job.From) > SimulatedUpstream.MaxConcurrentJobs)
            .Select(static job => $"{job.Id} began at {job.From} without a free slot of {job.Account}");

    /// <summary>
    /// A crashed replica, a lost response and a failed ledger leave leases that expire by themselves. So does a pause, if the write of a job's end times out in it; a create that
    /// waits for the slot ends it earlier.
    /// </summary>
    public static IEnumerable<string> NoSlotIsLeft(Simulation run) => LedgerMayFail(run) || run.Schedule.Has(OperationKind.Crash, OperationKind.UpstreamFails, OperationKind.Pause)
        ? []
        : run.Redis.Leases.Select(static lease => $"the slot of {(lease.EndsWith('/') ? "a create" : lease)} is left");

    /// <summary>Every replica finds the account in the ledger, also one that has started since. If the ledger does not respond in time, it asks all accounts.</summary>
    public static IEnumerable<string> ReadsGoToTheAccount(Simulation run) => LedgerMayFail(run) || run.Schedule.Has(OperationKind.Pause)
        ? []
        : from create in run.Creates
          let account = run.Upstream.Jobs.Find(job => job.Id == create.Id)!.Account
          from request in run.Upstream.Requests
          where request.Key == create.Id && request.From > create.RespondedAt && request.Account != account
          select $"{create.Id}: read from {request.Account} at {request.From}, but {account} has it";

    /// <summary>The replica stopped, or the ledger failed, between a refusal and the record of the next account.</summary>
    private static bool MayKeepAttempt(Simulation run, Job record) => record.Id is null && (LedgerMayFail(run) || run.Schedule.Has(OperationKind.Crash));

    private static bool LedgerMayFail(Simulation run) => run.Schedule.HasLag || run.Schedule.Operations.Any(static operation => operation.Kind is >= OperationKind.RedisDown and <= OperationKind.ConnectionSlow);
}
