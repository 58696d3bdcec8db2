using Medallion.Threading;

namespace LumaGateway.Redis;

/// <summary>The result of acquiring a lease. The set is closed.</summary>
internal enum LeaseResult
{
    /// <summary>This replica holds the lease.</summary>
    Held,

    /// <summary>Another replica holds the lease.</summary>
    Refused,

    /// <summary>Redis is unavailable.</summary>
    Unknown,
}

/// <summary>A lease in Redis, held by one replica until it releases it or dies. Never throws. Not for concurrent callers.</summary>
internal sealed class ReplicaLease(DistributedLocks locks, RedisKeyspace keyspace) : IAsyncDisposable
{
    private IDistributedSynchronizationHandle? _handle;

    public bool IsHeld => _handle is { } handle && !handle.HandleLostToken.IsCancellationRequested;

    /// <summary>Acquires the lease unless this replica holds it already.</summary>
    public async Task<LeaseResult> TryAcquireAsync(string name, TimeSpan lifetime)
    {
        if (IsHeld)
        {
            return LeaseResult.Held;
        }

        await ReleaseAsync();
        (_handle, var isReached) = await locks.TryAcquireAsync(keyspace.Prefix + name, lifetime);
        return _handle is not null ? LeaseResult.Held : isReached ? LeaseResult.Refused : LeaseResult.Unknown;
    }

    /// <summary>Releases the lease.</summary>
    public Task ReleaseAsync()
    {
        var handle = _handle;
        _handle = null;
        return DistributedLocks.ReleaseAsync(handle);
    }

    public async ValueTask DisposeAsync() => await ReleaseAsync();
}
