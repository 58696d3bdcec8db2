using LumaGateway.Jobs;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Stores idempotency records: add if absent, compare and swap, compare and delete. Each can change the jobs of the ledger in the same step. All replicas share the records if Redis is configured. Thread-safe.
/// Unlike the cache, it does not work without its store: every method throws <see cref="IdempotencyStoreUnavailableException"/> if the store does not confirm.
/// </summary>
internal interface IIdempotencyStore
{
    /// <summary>Adds the record if the key has none. Returns null if it was added, else the existing record.</summary>
    /// <param name="client">The client that sends the create. A store in memory limits each client to a share.</param>
    /// <param name="key">The record's key.</param>
    /// <param name="record">The record.</param>
    /// <param name="lifetime">How long the record is kept.</param>
    /// <param name="change">A change of the jobs, made only if the record is added.</param>
    Task<byte[]?> TryAddAsync(string client, string key, byte[] record, TimeSpan lifetime, JobChange? change = null);

    /// <summary>Returns the record, null if the key has none.</summary>
    Task<byte[]?> FindAsync(string key);

    /// <summary>Replaces the record if it equals <paramref name="expected"/>. Returns false if it does not. The jobs are changed in both cases.</summary>
    Task<bool> ReplaceAsync(string key, byte[] expected, byte[] record, TimeSpan lifetime, JobChange? change = null);

    /// <summary>Removes the record if it equals <paramref name="expected"/>. The jobs are changed in any case.</summary>
    Task RemoveAsync(string key, byte[] expected, JobChange? change = null);
}

/// <summary>The store did not confirm the operation. The operation may have been done nevertheless.</summary>
internal class IdempotencyStoreUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>The store is full. The message names the limit, without a full stop.</summary>
internal sealed class IdempotencyStoreFullException(string message) : IdempotencyStoreUnavailableException(message);
