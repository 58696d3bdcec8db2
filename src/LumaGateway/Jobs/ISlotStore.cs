using LumaGateway.Contracts;

namespace LumaGateway.Jobs;

/// <summary>
/// The slots of accounts: one for each job that is not final. A slot is held by a lease, which expires by itself. All replicas share them if Redis is configured.
/// Thread-safe. Every method throws <see cref="Problems.LedgerUnavailableException"/> if the store does not confirm.
/// </summary>
internal interface ISlotStore
{
    /// <summary>Takes a slot. Returns null if it is taken; otherwise how long none can be free, zero if that is not known.</summary>
    /// <param name="account">The account.</param>
    /// <param name="lease">The name of the lease.</param>
    /// <param name="limits">The account's limits.</param>
    /// <param name="lifetime">After this time the lease expires.</param>
    Task<TimeSpan?> TryTakeAsync(string account, string lease, SlotLimits limits, TimeSpan lifetime);

    /// <summary>Renames a lease to the id of its job, and gives it a new lifetime.</summary>
    Task BindAsync(string account, string lease, GenerationId id, TimeSpan lifetime);

    /// <summary>Ends a lease. Does nothing if it has expired.</summary>
    /// <param name="account">The account.</param>
    /// <param name="holder">The name of the lease, or the id of its job.</param>
    Task ReleaseAsync(string account, string holder);

    /// <summary>The jobs that hold a slot.</summary>
    Task<IReadOnlyList<GenerationId>> HoldersAsync(string account);
}
