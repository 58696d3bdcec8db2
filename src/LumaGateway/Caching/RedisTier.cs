using System.Collections.Concurrent;
using System.Text;
using LumaGateway.Contracts;
using LumaGateway.Redis;
using Medallion.Threading;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>The entries of one key in Redis.</summary>
/// <param name="Final">The final entry, fresh or stale; null if there is none.</param>
/// <param name="Interim">The interim or not-found entry; null if there is none.</param>
/// <param name="InvalidationToken">The key's invalidation token, new with every purge; null if there was no recent purge.</param>
/// <param name="IsReached">Whether Redis responded.</param>
internal readonly record struct RedisView(CacheEntry? Final, CacheEntry? Interim, string? InvalidationToken, bool IsReached)
{
    /// <summary>The final entry, otherwise the interim one: a late interim write never hides a final entry.</summary>
    public CacheEntry? Best => Final ?? Interim;
}

/// <summary>
/// Cache entries in Redis, shared by all replicas, and the distributed lock for fetches. Never throws; a step takes about <see
/// cref="RedisResilienceOptions.RedisTimeout"/> at most. Without Redis it finds and stores nothing.
/// </summary>
internal sealed partial class RedisTier(
    RedisConnection connection,
    IDistributedCache store,
    RedisResilience resilience,
    DistributedLocks locks,
    RedisKeyspace keyspace,
    RedisSigner signer,
    EntryLimits limits,
    IOptions<CacheOptions> options,
    TimeProvider clock,
    CacheMetrics metrics,
    ILogger<RedisTier> logger)
{
    /// <summary>How long an entry in memory may be served without verification in Redis: shorter than the life of an invalidation token.</summary>
    public static readonly TimeSpan MaxUnverified = TimeSpan.FromMinutes(9);

    /// <summary>How long an invalidation token lives: longer than any fetch, and longer than <see cref="MaxUnverified"/>.</summary>
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan RepeatInterval = TimeSpan.FromSeconds(1);

    /// <summary>The maximum number of purges that are repeated. <see cref="PurgeAsync"/> returns false for every unconfirmed purge, repeated or not.</summary>
    private const int MaxUnconfirmed = 10_000;

    /// <summary>The time-out of a purge; longer than that of other steps, because its confirmation matters.</summary>
    private static readonly TimeSpan PurgeTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Entries expire in Redis a little after their freshness: clocks of replicas differ.</summary>
    private static readonly TimeSpan ExtraLifetime = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long an interim entry stays in Redis after its freshness: it replaces polls of other replicas by its age. Equals the maximum of Waiting:PollSlowest.
    /// </summary>
    private static readonly TimeSpan InterimRetention = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<GenerationId, bool> _unconfirmed = new();
    private int _unconfirmedCount;

    /// <summary>Raised when Redis confirms a purge that it had not confirmed before.</summary>
    public event Action<GenerationId>? PurgeConfirmed;

    public bool IsConfigured => connection.IsConfigured;

    /// <param name="key">The key.</param>
    /// <param name="extendTimeout">Whether a slow step gets several time-outs, because its failure would cost an upstream request.</param>
    public async Task<RedisView> ReadAsync(GenerationId key, bool extendTimeout = false)
    {
        if (!IsConfigured || IsUnconfirmed(key))
        {
            return default;
        }

        // The three names are read in one round trip, since the connection pipelines. The token is read first: an entry from before a purge must never
        // be paired with the token of that purge.
        var (final, interim) = (Final(key), Interim(key));
        var (values, isReached) = await resilience.ReadAsync(() => Task.WhenAll(GetAsync(InvalidationToken(key)), GetAsync(final), GetAsync(interim)), [], extendTimeout);

        return isReached && !IsUnconfirmed(key)
            ? new RedisView(Decode(key, final, isFinal: true, values[1]), Decode(key, interim, isFinal: false, values[2]), DecodeText(values[0]), true)
            : default;
    }

    /// <summary>
    /// Runs every kind of step once, without time-outs: connecting and compiling take longer than a step may. Throws the exceptions of Redis.
    /// </summary>
    public async Task WarmUpAsync()
    {
        var probe = GenerationId.Parse("-", null);
        await locks.WarmUpAsync(Lock(probe), options.Value.LockLifetime);
        await Task.WhenAll(GetAsync(InvalidationToken(probe)), GetAsync(Final(probe)), GetAsync(Interim(probe)));
        await resilience.ReadAsync(() => Task.FromResult(true), false);
    }

    /// <summary>
    /// Stores an entry if the key's invalidation token is still <paramref name="token"/> and Redis holds nothing newer. The script is atomic, so a late
    /// write does no harm. Returns <see cref="WriteResult.Stored"/> too if Redis is unavailable.
    /// </summary>
    public async Task<WriteResult> WriteAsync(CacheEntry entry, string? token)
    {
        var key = entry.Key;
        var now = clock.GetUtcNow();
        var lifetime = (entry.Kind is EntryKind.Final ? entry.StaleUntil : entry.FreshUntil) - now;
        if (lifetime > TimeSpan.Zero && entry.Kind is EntryKind.Interim)
        {
            lifetime += InterimRetention;
        }

        if (!IsConfigured || lifetime <= TimeSpan.Zero || IsUnconfirmed(key))
        {
            return WriteResult.Stored;
        }

        var bytes = signer.Sign(SignedKind.Entry, entry.Kind is EntryKind.Final ? Final(key) : Interim(key), CacheEntryFormat.Write(entry));
        var arguments = CacheScripts.WriteArguments(entry, bytes, token, lifetime + ExtraLifetime, now, TokenLifetime);
        var (result, _) = await resilience.WriteAsync(() => RunAsync(CacheScripts.Write, key, arguments), (int)WriteResult.Stored);
        return (WriteResult)result;
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
            await RunAsync(CacheScripts.Purge, key, CacheScripts.PurgeArguments(TokenLifetime)).WaitAsync(PurgeTimeout, clock);
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            span.Fail(exception);
            RepeatLater(key);
            return false;
        }
    }

    /// <summary>Tries to acquire the distributed lock of a key. Returns null while another replica holds it, and false if Redis is unavailable.</summary>
    public Task<(IDistributedSynchronizationHandle? Lock, bool IsReached)> TryAcquireLockAsync(GenerationId key) =>
        locks.TryAcquireAsync(Lock(key), options.Value.LockLifetime);

    private async Task<int> RunAsync(string script, GenerationId key, RedisValue[] arguments)
    {
        var redis = await connection.GetAsync();
        return (int)await redis.GetDatabase().ScriptEvaluateAsync(script, [Final(key), Interim(key), InvalidationToken(key)], arguments);
    }

    private bool IsUnconfirmed(GenerationId key) => Volatile.Read(ref _unconfirmedCount) > 0 && _unconfirmed.ContainsKey(key);

    private void RepeatLater(GenerationId key)
    {
        if (_unconfirmed.Count >= MaxUnconfirmed || !_unconfirmed.TryAdd(key, true))
        {
            return;
        }

        if (Interlocked.Increment(ref _unconfirmedCount) == 1)
        {
            Log.NotConfirmed(logger);
            _ = RepeatAsync();
        }
    }

    /// <summary>Repeats the purges that Redis has not confirmed; ends when there is none.</summary>
    private async Task RepeatAsync()
    {
        do
        {
            await Task.Delay(RepeatInterval, clock);
            foreach (var (key, _) in _unconfirmed)
            {
                if (await PurgeAsync(key) && _unconfirmed.TryRemove(key, out _))
                {
                    PurgeConfirmed?.Invoke(key);
                    if (Interlocked.Decrement(ref _unconfirmedCount) == 0)
                    {
                        Log.Confirmed(logger);
                        return; // the next unconfirmed purge starts the loop again
                    }
                }
                else
                {
                    break; // Redis is still unavailable
                }
            }
        }
        while (true);
    }

    /// <summary>A value of another Redis type is removed, so that a correct one can be written.</summary>
    private async Task<byte[]?> GetAsync(string name)
    {
        try
        {
            return await store.GetAsync(name);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            metrics.RecordCorrupt();
            await store.RemoveAsync(name);
            return null;
        }
    }

    /// <summary>
    /// Returns null if the bytes are damaged, not authenticated, of another key or of the wrong kind. Times are limited to what the settings allow.
    /// </summary>
    private CacheEntry? Decode(GenerationId key, string name, bool isFinal, byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        var entry = signer.TryVerify(SignedKind.Entry, name, bytes, out var verified) ? CacheEntryFormat.Read(key, verified) : null;
        if (entry is not null && entry.Kind is EntryKind.Final == isFinal && limits.Clamp(entry, clock.GetUtcNow()) is { } bounded)
        {
            return bounded;
        }

        metrics.RecordCorrupt();
        return null;
    }

    private static string? DecodeText(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);

    // These names in Redis are shared with running versions and stay as they are: "brief" is the interim entry, "epoch" the invalidation token.
    private string Final(GenerationId key) => keyspace.NameOf(key.Value, "final");

    private string Interim(GenerationId key) => keyspace.NameOf(key.Value, "brief");

    private string InvalidationToken(GenerationId key) => keyspace.NameOf(key.Value, "epoch");

    private string Lock(GenerationId key) => keyspace.NameOf(key.Value, "lock");

    private static partial class Log
    {
        [LoggerMessage(2041, LogLevel.Warning, "Redis did not confirm a purge; the gateway repeats it every second until Redis confirms it. Other replicas may serve the purged entry until then.")]
        public static partial void NotConfirmed(ILogger logger);

        [LoggerMessage(2042, LogLevel.Information, "Redis has confirmed all repeated purges.")]
        public static partial void Confirmed(ILogger logger);
    }
}
