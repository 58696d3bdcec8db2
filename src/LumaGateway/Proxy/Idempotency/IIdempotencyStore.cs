namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Small records that must not be lost or doubled, each written by whoever was first and changed only by whoever knows what it says. Shared by
/// all replicas where they share anything. Thread-safe. Unlike the cache it does not cope without its store: every method throws
/// <see cref="IdempotencyStoreUnavailableException"/> where the store did not confirm.
/// </summary>
internal interface IIdempotencyStore
{
    /// <summary>Null where the record was added; else the one that was there first.</summary>
    /// <param name="owner">The client whose record it is: a store in memory gives each a share.</param>
    /// <param name="key">Its key.</param>
    /// <param name="record">The record.</param>
    /// <param name="life">How long it is kept.</param>
    Task<byte[]?> TryAddAsync(string owner, string key, byte[] record, TimeSpan life);

    /// <summary>False where the record is no longer <paramref name="known"/>.</summary>
    Task<bool> ReplaceAsync(string key, byte[] known, byte[] record, TimeSpan life);

    /// <summary>Removes the record if it still is <paramref name="known"/>.</summary>
    Task RemoveAsync(string key, byte[] known);
}

/// <summary>The store did not confirm. What was asked of it may still have been done.</summary>
internal class IdempotencyStoreUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>The store takes no more records. The message says which limit was reached, without a full stop.</summary>
internal sealed class RecordStoreFullException(string message) : IdempotencyStoreUnavailableException(message);
