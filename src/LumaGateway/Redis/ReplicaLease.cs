using Medallion.Threading;

namespace LumaGateway.Redis;

/// <summary>What came of asking for a lease. The set is closed.</summary>
internal enum LeaseResult
{
    /// <summary>This replica has it.</summary>
    Held,

    /// <summary>Another replica has it.</summary>
    Refused,

    /// <summary>Redis cannot say.</summary>
    Unknown,
}

/// <summary>
/// The right to do something for the whole fleet for as long as this replica likes and lives. Never throws. To be asked by one caller at a time.
/// </summary>
internal sealed class ReplicaLease(DistributedLocks locks, RedisKeyspace scope) : IAsyncDisposable
{
    private IDistributedSynchronizationHandle? _held;

    public bool IsHeld => _held is { } held && !held.HandleLostToken.IsCancellationRequested;

    /// <summary>Takes it, where this replica does not have it already.</summary>
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

    /// <summary>Gives it back: another replica may have it at once.</summary>
    public Task ReleaseAsync()
    {
        var held = _held;
        _held = null;
        return DistributedLocks.ReleaseAsync(held);
    }

    public async ValueTask DisposeAsync() => await ReleaseAsync();
}
