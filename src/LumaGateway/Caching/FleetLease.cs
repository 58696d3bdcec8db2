using Medallion.Threading;
using Medallion.Threading.Redis;

namespace LumaGateway.Caching;

/// <summary>What came of asking for a lease. The set is closed.</summary>
internal enum LeaseAnswer
{
    /// <summary>This replica has it.</summary>
    Held,

    /// <summary>Another replica has it.</summary>
    Refused,

    /// <summary>Redis cannot say.</summary>
    Unknown,
}

/// <summary>
/// The right to do something for the whole fleet. It is renewed while it is held, and runs out by itself when its replica dies. Never
/// throws. To be asked by one caller at a time.
/// </summary>
internal sealed class FleetLease(RedisConnection connection, RedisGuard guard, CacheScope scope) : IAsyncDisposable
{
    private IDistributedSynchronizationHandle? _handle;

    public bool IsHeld => _handle is { } handle && !handle.HandleLostToken.IsCancellationRequested;

    /// <summary>Takes it, where this replica does not have it already.</summary>
    public async Task<LeaseAnswer> TryTakeAsync(string name, TimeSpan life)
    {
        if (IsHeld)
        {
            return LeaseAnswer.Held;
        }

        await ReleaseAsync();
        var (handle, reached) = await guard.WriteAsync(() => AcquireAsync(name, life), null, static late => _ = GiveBackAsync(late));
        _handle = handle;
        return handle is not null ? LeaseAnswer.Held : reached ? LeaseAnswer.Refused : LeaseAnswer.Unknown;
    }

    /// <summary>Gives it back: another replica may have it at once.</summary>
    public Task ReleaseAsync()
    {
        var handle = _handle;
        _handle = null;
        return handle is null ? Task.CompletedTask : GiveBackAsync(Task.FromResult<IDistributedSynchronizationHandle?>(handle));
    }

    public async ValueTask DisposeAsync() => await ReleaseAsync();

    private async Task<IDistributedSynchronizationHandle?> AcquireAsync(string name, TimeSpan life)
    {
        var redis = await connection.GetAsync();
        var turn = new RedisDistributedLock(scope.Prefix + name, redis.GetDatabase(), lease => lease
            .Expiry(life)
            .ExtensionCadence(life / 3)
            .MinValidityTime(life / 2));
        return await turn.TryAcquireAsync(TimeSpan.Zero);
    }

    private static async Task GiveBackAsync(Task<IDistributedSynchronizationHandle?> acquiring)
    {
        try
        {
            if (await acquiring is { } handle)
            {
                await handle.DisposeAsync();
            }
        }
#pragma warning disable CA1031 // whatever kept Redis from giving or taking it: it runs out by itself
        catch
#pragma warning restore CA1031
        {
            // Nobody waits for it.
        }
    }
}
