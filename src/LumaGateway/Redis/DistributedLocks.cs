using Medallion.Threading;
using Medallion.Threading.Redis;

namespace LumaGateway.Redis;

/// <summary>Distributed locks in Redis. A lock is renewed while it is held, and expires if its replica dies. Never throws. Thread-safe.</summary>
internal sealed class DistributedLocks(RedisConnection connection, RedisResilience resilience, TimeProvider clock)
{
    /// <summary>A process without CPU time gets a second attempt before Redis counts as slow.</summary>
    private const int MaxAttempts = 2;

    /// <summary>The lock; null while another replica holds it; null and false if Redis is unavailable.</summary>
    public Task<(IDistributedSynchronizationHandle? Lock, bool IsReached)> TryAcquireAsync(string name, TimeSpan lifetime) =>
        resilience.LockAsync(() => AcquireAsync(name, lifetime), static acquiring => _ = ReleaseAsync(acquiring)); // a lock acquired after the time-out is released at once

    /// <summary>Releases a lock. Callers need not await it: a lock that cannot be released expires.</summary>
    public static Task ReleaseAsync(IDistributedSynchronizationHandle? handle) => ReleaseAsync(Task.FromResult(handle));

    /// <summary>Acquires and releases a lock, without a time-out.</summary>
    public Task WarmUpAsync(string name, TimeSpan lifetime) => ReleaseAsync(AcquireAsync(name, lifetime));

    private async Task<IDistributedSynchronizationHandle?> AcquireAsync(string name, TimeSpan lifetime)
    {
        var redis = await connection.GetAsync();
        var distributedLock = new RedisDistributedLock(name, redis.GetDatabase(), lease => lease
            .Expiry(lifetime)
            .ExtensionCadence(lifetime / 3)
            .MinValidityTime(lifetime / 2));
        for (var attempt = 1; ; attempt++)
        {
            var startedAt = clock.GetTimestamp();
            if (await distributedLock.TryAcquireAsync(TimeSpan.Zero) is { } handle)
            {
                return handle;
            }

            // The library releases the lock if Redis does not respond within half the lock's lifetime. That is not a refusal: no replica may hold it.
            if (clock.GetElapsedTime(startedAt) < lifetime / 2)
            {
                return null;
            }

            if (attempt == MaxAttempts)
            {
                throw new TimeoutException("Redis is too slow for a lock of this lifetime.");
            }
        }
    }

    private static async Task ReleaseAsync(Task<IDistributedSynchronizationHandle?> acquiring)
    {
        try
        {
            if (await acquiring is { } handle)
            {
                await handle.DisposeAsync();
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
