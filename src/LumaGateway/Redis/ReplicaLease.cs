using Medallion.Threading;

namespace LumaGateway.Redis;

/// <summary>What came of asking for a lease. The set is closed.</summary>
internal enum LeaseResult
{
    /// <summary>This replica has it.</summary>
    Held,

    /// <summary>Another replica holds the lease.</summary>
    Refused,

    /// <summary>Redis is unavailable.</summary>
    Unknown,
}

/// <summary>A lease in Redis, held by one replica until it releases it or dies. Never throws. Not for concurrent callers.</summary>
internal sealed class ReplicaLease(DistributedLocks locks, RedisKeyspace scope) : IAsyncDisposable
{
    private IDistributedSynchronizationHandle? _held;

    public bool IsHeld => _held is { } held && !held.HandleLostToken.IsCancellationRequested;

    /// <summary>Acquires the lease unless this replica holds it already.</summary>
    public async Task<LeaseResult> TryTakeAsync(string name, TimeSpan life)
    {
        if (IsHeld)
        {
            return LeaseResult.Held;
        }

        await ReleaseAsync();
        (_held, var reached) = await locks.TryTakeAsync(scope.Prefix + name, life);
        return _held is not null ? LeaseResult.Held : reached ? LeaseResult.Refused : LeaseResult.Unknown;
    }

    /// <summary>Releases the lease.</summary>
    public Task ReleaseAsync()
    {
        var held = _held;
        _held = null;
        return DistributedLocks.ReleaseAsync(held);
    }

    public async ValueTask DisposeAsync() => await ReleaseAsync();
}
