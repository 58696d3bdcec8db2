using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Problems;

namespace LumaGateway.Tests.Jobs;

/// <summary>A ledger that can fail.</summary>
internal sealed class GuardedLedger(MemoryJobLedger ledger) : IJobLedger
{
    public bool IsAvailable { get; set; } = true;

    /// <summary>Whether it makes each change and does not confirm it.</summary>
    public bool IsUnconfirmed { get; set; }

    public IReadOnlyList<Job> Jobs => ledger.ListAsync(new JobQuery(null, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, 100), TestContext.Current.CancellationToken).GetAwaiter().GetResult().Jobs;

    public ValueTask<Job?> FindAsync(GenerationId id, CancellationToken cancellationToken) => Available.FindAsync(id, cancellationToken);

    public ValueTask<IReadOnlyList<Job?>> FindAsync(IReadOnlyList<GenerationId> ids, CancellationToken cancellationToken) => Available.FindAsync(ids, cancellationToken);

    public Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken) => Available.ListAsync(query, cancellationToken);

    public async Task ApplyAsync(JobChange change)
    {
        await Available.ApplyAsync(change);
        if (IsUnconfirmed)
        {
            throw new LedgerUnavailableException();
        }
    }

    public Task<Job?> UpdateAsync(GenerationId id, JobState state, string? model) => Available.UpdateAsync(id, state, model);

    public Task RememberAsync(GenerationId id, string account, string dialect) => Available.RememberAsync(id, account, dialect);

    private MemoryJobLedger Available => IsAvailable ? ledger : throw new LedgerUnavailableException();
}
