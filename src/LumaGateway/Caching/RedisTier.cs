using LumaGateway.Contracts;
using LumaGateway.Redis;

namespace LumaGateway.Caching;

/// <summary>
/// Cache entries in Redis, shared by all replicas, and the distributed lock for fetches. Never throws; a step takes about <see
/// cref="RedisResilienceOptions.RedisTimeout"/> at most. Without Redis it finds and stores nothing.
/// </summary>
internal sealed partial class RedisTier(
    RedisEntries entries, RedisResilience resilience, TimeProvider clock, ILogger<RedisTier> logger) : IDisposable
{
    /// <summary>How long an entry in memory may be served without verification in Redis: shorter than the life of an invalidation token.</summary>
    private static readonly TimeSpan MaxUnverified = RedisEntries.TokenLifetime - TimeSpan.FromMinutes(1);

    /// <summary>The timeout of a purge; longer than that of other steps, because its confirmation matters.</summary>
    private static readonly TimeSpan PurgeTimeout = TimeSpan.FromSeconds(3);

    private readonly UnconfirmedWrites<GenerationId> _unconfirmed = new(clock, () => Log.NotConfirmed(logger), () => Log.Confirmed(logger));

    /// <summary>Raised when Redis confirms a purge that it had not confirmed before.</summary>
    public event Action<GenerationId>? PurgeConfirmed
    {
        add => _unconfirmed.Confirmed += value;
        remove => _unconfirmed.Confirmed -= value;
    }

    public bool IsConfigured => entries.IsConfigured;

    /// <summary>Reads both entries and the invalidation token.</summary>
    /// <param name="key">The key.</param>
    /// <param name="extendTimeout">Whether a slow step gets several timeouts, because its failure would cost an upstream request.</param>
    public async Task<RedisView> ReadAsync(GenerationId key, bool extendTimeout = false)
    {
        if (!IsConfigured || IsUnconfirmed(key))
        {
            return default;
        }

        var (view, isReached) = await resilience.ReadAsync(() => entries.ReadAsync(key), default, extendTimeout);
        return isReached && !IsUnconfirmed(key) ? view : default;
    }

    /// <summary>
    /// Whether another replica may have purged an entry in memory: the invalidation token has changed, or the entry was not verified for longer than a
    /// token lives.
    /// </summary>
    public bool MayHaveBeenPurged(MemoryEntry cached, RedisView view) => IsConfigured
        && ((view.InvalidationToken is not null && view.InvalidationToken != cached.InvalidationToken) || clock.GetElapsedTime(cached.VerifiedAt) >= MaxUnverified);

    /// <summary>
    /// Runs every kind of step once, without timeouts: connecting and compiling take longer than a step may. Throws the exceptions of Redis.
    /// </summary>
    public async Task WarmUpAsync()
    {
        var probe = GenerationId.Parse("-", null);
        (await entries.LockAsync(probe, unlessFinal: false)).Lock?.Dispose();
        await entries.ReadAsync(probe);
        await resilience.ReadAsync(() => Task.FromResult(true), false);
    }

    /// <summary>
    /// Stores an entry if the key's invalidation token is still <paramref name="token"/> and Redis holds nothing newer. The script is atomic, so a late
    /// write does no harm. Releases the lock, if there is one. Returns <see cref="WriteResult.Stored"/> too if Redis is unavailable.
    /// </summary>
    public async Task<WriteResult> WriteAsync(CacheEntry entry, string? token, FetchLock? heldLock = null)
    {
        if (!IsConfigured || entries.IsExpired(entry) || IsUnconfirmed(entry.Key))
        {
            return WriteResult.Stored;
        }

        var (result, isReached) = await resilience.WriteAsync(() => entries.WriteAsync(entry, token, heldLock), WriteResult.Stored);
        if (isReached)
        {
            heldLock?.MarkReleased();
        }

        return result;
    }

    /// <summary>
    /// Purges a key: fetches started before cannot store it again. Returns false if Redis did not confirm; then the purge is repeated until it does, and
    /// until then this process reads nothing of the key from Redis.
    /// </summary>
    public async Task<bool> PurgeAsync(GenerationId key)
    {
        using var span = RedisSpan.Start("purge");
        try
        {
            await entries.PurgeAsync(key).WaitAsync(PurgeTimeout, clock);
            return true;
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            span.Fail(exception);
            _unconfirmed.Add(key, PurgeAsync); // PurgeAsync returns false for every unconfirmed purge, repeated or not
            return false;
        }
    }

    /// <summary>
    /// Tries to acquire the distributed lock of a key, and reads the key after it. The lock is null while another replica holds it, and if Redis is
    /// unavailable. The caller disposes of it.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="isFirst">Whether it is the first look-up of a fetch: a final entry is read without the lock, and a slow Redis gets one timeout only.</param>
    public async Task<LockResult> TryAcquireLockAsync(GenerationId key, bool isFirst = false)
    {
        var (result, _) = await resilience.LockAsync(
            () => entries.LockAsync(key, unlessFinal: isFirst), LockResult.Unreached, static late => _ = ReleaseLateAsync(late), extendTimeout: !isFirst);
        return IsUnconfirmed(key) ? result with { View = default } : result;
    }

    public void Dispose() => _unconfirmed.Dispose();

    /// <summary>Releases a lock that was acquired after the timeout.</summary>
    private static async Task ReleaseLateAsync(Task<LockResult> late)
    {
        try
        {
            (await late).Lock?.Dispose();
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            // The lock was not acquired.
        }
    }

    private bool IsUnconfirmed(GenerationId key) => _unconfirmed.Contains(key);

    private static partial class Log
    {
        [LoggerMessage(2041, LogLevel.Warning, "Redis did not confirm a purge; the gateway repeats it every second until Redis confirms it. Other replicas may serve the purged entry until then.")]
        public static partial void NotConfirmed(ILogger logger);

        [LoggerMessage(2042, LogLevel.Information, "Redis has confirmed all repeated purges.")]
        public static partial void Confirmed(ILogger logger);
    }
}

/// <summary>The result of acquiring a lock.</summary>
/// <param name="Lock">The lock; null if it was not acquired.</param>
/// <param name="IsTaken">Whether another replica holds the lock.</param>
/// <param name="View">The key, read after the lock was acquired or refused.</param>
/// <param name="IsReached">Whether Redis responded.</param>
internal sealed record LockResult(FetchLock? Lock, bool IsTaken, RedisView View, bool IsReached)
{
    /// <summary>Redis is unavailable.</summary>
    public static LockResult Unreached { get; } = new(null, false, default, false);
}
