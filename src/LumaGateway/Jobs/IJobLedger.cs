using LumaGateway.Contracts;

namespace LumaGateway.Jobs;

/// <summary>
/// The jobs: which client created which generation on which account. Kept for <c>Jobs:Retention</c>. All replicas share them if Redis is configured. Thread-safe.
/// Unlike the cache, it does not work without its store: every method throws <see cref="Problems.LedgerUnavailableException"/> if the store does not confirm.
/// </summary>
internal interface IJobLedger
{
    /// <summary>The job of a generation; null if the ledger has none. One round trip.</summary>
    ValueTask<Job?> FindAsync(GenerationId id, CancellationToken cancellationToken);

    /// <summary>The jobs of several generations, in the order of the ids. One round trip.</summary>
    ValueTask<IReadOnlyList<Job?>> FindAsync(IReadOnlyList<GenerationId> ids, CancellationToken cancellationToken);

    /// <summary>A page of jobs.</summary>
    Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken);

    /// <summary>Applies a change. It may be repeated.</summary>
    Task ApplyAsync(JobChange change);

    /// <summary>Records a new state, and the model if the job has none. An interim state does not replace a final one. Returns the job before the change; null if the ledger does not have the id.</summary>
    Task<Job?> UpdateAsync(GenerationId id, JobState state, string? model);

    /// <summary>Records on which account an id was found that was not created through the gateway. Does nothing if the ledger has the id.</summary>
    Task RememberAsync(GenerationId id, string account, string dialect);
}
