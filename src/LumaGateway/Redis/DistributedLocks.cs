using Medallion.Threading;
using Medallion.Threading.Redis;

namespace LumaGateway.Redis;

/// <summary>Distributed locks in Redis. A lock is renewed while it is held, and expires if its replica dies. Never throws. Thread-safe.</summary>
internal sealed class DistributedLocks(RedisConnection connection, RedisResilience guard, TimeProvider clock)
{
    /// <summary>A process without CPU time gets a second attempt before Redis counts as slow.</summary>
    private const int MaxTries = 2;

    /// <summary>The lock; null while another replica holds it; null and false if Redis is unavailable.</summary>
    public Task<(IDistributedSynchronizationHandle? Lock, bool IsReached)> TryTakeAsync(string name, TimeSpan life) =>
        guard.LockAsync(() => AcquireAsync(name, life), static acquiring => _ = ReleaseAsync(acquiring)); // a lock acquired after the time-out is released at once

    /// <summary>Releases a lock. Callers need not await it: a lock that cannot be released expires.</summary>
    public static Task ReleaseAsync(IDistributedSynchronizationHandle? held) => ReleaseAsync(Task.FromResult(held));

    /// <summary>Acquires and releases a lock, without a time-out.</summary>
    public Task TryOutAsync(string name, TimeSpan life) => ReleaseAsync(AcquireAsync(name, life));

    private async Task<IDistributedSynchronizationHandle?> AcquireAsync(string name, TimeSpan life)
    {
        var redis = await connection.GetAsync();
        var turn = new RedisDistributedLock(name, redis.GetDatabase(), lease => lease
            .Expiry(life)
            .ExtensionCadence(life / 3)
            .MinValidityTime(life / 2));
        for (var tries = 1; ; tries++)
        {
            var begun = clock.GetTimestamp();
            if (await turn.TryAcquireAsync(TimeSpan.Zero) is { } held)
            {
                return held;
            }

            // The library releases the lock if Redis does not respond within half the lock's lifetime. That is not a refusal: no replica may hold it.
            if (clock.GetElapsedTime(begun) < life / 2)
            {
                return null;
            }

            if (tries == MaxTries)
            {
                throw new TimeoutException("Redis is too slow for a lock of this life.");
            }
        }
    }

    private static async Task ReleaseAsync(Task<IDistributedSynchronizationHandle?> acquiring)
    {
        try
        {
            if (await acquiring is { } held)
            {
                await held.DisposeAsync();
            }
        }
#pragma warning disable CA1031 // no caller awaits it, and the lock expires
        catch
#pragma warning restore CA1031
        {
            // The lock could not be acquired or released.
        }
    }
}
