using Medallion.Threading;
using Medallion.Threading.Redis;

namespace LumaGateway.Redis;

/// <summary>
/// Locks in Redis, each held by one replica at a time: renewed while it is held, and gone by itself when its replica dies. Never throws. Thread-safe.
/// </summary>
internal sealed class DistributedLocks(RedisConnection connection, RedisResilience guard, TimeProvider clock)
{
    /// <summary>A process that was short of CPU gets a second chance to hear Redis in time.</summary>
    private const int MaxTries = 2;

    /// <summary>The lock; null while another replica has it; null and false where Redis cannot say.</summary>
    public Task<(IDistributedSynchronizationHandle? Lock, bool IsReached)> TryTakeAsync(string name, TimeSpan life) =>
        guard.LockAsync(() => AcquireAsync(name, life), static acquiring => _ = ReleaseAsync(acquiring)); // nobody else would ever give it back

    /// <summary>Gives a lock back. Need not be waited for: if Redis is away it runs out by itself.</summary>
    public static Task ReleaseAsync(IDistributedSynchronizationHandle? held) => ReleaseAsync(Task.FromResult(held));

    /// <summary>Takes a lock and gives it back, in whatever time that takes.</summary>
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

            // The library gives up, and gives the lock back, where Redis does not answer in half the lock's life. That is no refusal: no replica need have it.
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
#pragma warning disable CA1031 // nobody waits for it, and it runs out by itself
        catch
#pragma warning restore CA1031
        {
            // Whatever kept Redis from giving or taking it.
        }
    }
}
