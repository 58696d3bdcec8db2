namespace LumaGateway.Jobs;

/// <summary>One change of the ledger, in one step: removes a job, adds a job, or both. Adding does nothing if the ledger has the key.</summary>
/// <param name="Add">The job to add; null for none.</param>
/// <param name="Remove">The job to remove; null for none.</param>
internal sealed record JobChange(Job? Add, Job? Remove)
{
    /// <summary>Records a create before it is sent. If the gateway ends before the create does, the job stays, as a create with an unknown outcome.</summary>
    public static JobChange Begin(Job attempt) => new(attempt, null);

    /// <summary>Replaces an attempt by the job of the generation that it made.</summary>
    public static JobChange Complete(Job attempt, Job job) => new(job, attempt);

    /// <summary>Removes an attempt that made no generation.</summary>
    public static JobChange Cancel(Job attempt) => new(null, attempt);
}
