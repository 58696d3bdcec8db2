using System.Text;
using LumaGateway.Contracts;
using LumaGateway.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>The entries of one key in Redis.</summary>
/// <param name="Final">The final entry, fresh or stale; null if there is none.</param>
/// <param name="Interim">The interim or not-found entry; null if there is none.</param>
/// <param name="InvalidationToken">The key's invalidation token, new with every purge; null if it was not read or there was no recent purge.</param>
/// <param name="IsReached">Whether Redis responded.</param>
internal readonly record struct RedisView(CacheEntry? Final, CacheEntry? Interim, string? InvalidationToken, bool IsReached)
{
    /// <summary>The final entry, otherwise the interim one: a late interim write never hides a final entry.</summary>
    public CacheEntry? Best => Final ?? Interim;
}

/// <summary>
/// The Redis commands for the entries, the invalidation token and the lock of a key. Throws the exceptions of Redis, which <see cref="RedisTier"/> handles. Does not
/// read bytes that are damaged or not authenticated. Thread-safe.
/// </summary>
internal sealed class RedisEntries(
    RedisConnection connection, IDistributedCache store, RedisKeyspace keyspace, EntryCodec codec, CacheMetrics metrics, IOptions<CacheOptions> options, TimeProvider clock)
{
    /// <summary>How long an invalidation token lives: longer than any fetch.</summary>
    public static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long an interim or not-found entry stays in Redis after its freshness. An interim one replaces polls of other replicas by its age; this is the maximum of
    /// Waiting:PollSlowest. A not-found one keeps out the final entry that a paused replica requested before the generation was deleted.
    /// </summary>
    public static readonly TimeSpan InterimRetention = TimeSpan.FromMinutes(10);

    /// <summary>Entries expire in Redis a little after their freshness: clocks of replicas differ.</summary>
    private static readonly TimeSpan ExtraLifetime = TimeSpan.FromSeconds(2);

    /// <summary>The owner of a lock is this and a number. A new GUID for each lock would cost a system call.</summary>
    private readonly string _ownerPrefix = Guid.NewGuid().ToString("N");
    private long _ownerCount;

    /// <summary>A lock is renewed three times in its life.</summary>
    private readonly SharedTimeout _renewals = new(options.Value.LockLifetime / 3, clock);

    public bool IsConfigured => connection.IsConfigured;

    public async Task<RedisView> ReadAsync(GenerationId key)
    {
        // The three names are read in one round trip, since the connection pipelines. The token is read first: an entry from before a purge must never
        // be paired with the token of that purge.
        var (final, interim) = (Final(key), Interim(key));
        var values = await Task.WhenAll(GetAsync(InvalidationToken(key)), GetAsync(final), GetAsync(interim));
        return ViewOf(key, final, interim, values[0], values[1], values[2]);
    }

    /// <summary>Acquires the lock of a key unless another replica holds it, and reads after it: one command.</summary>
    /// <param name="key">The key.</param>
    /// <param name="unlessFinal">Whether a final entry is read without the lock.</param>
    public async Task<LockResult> LockAsync(GenerationId key, bool unlessFinal)
    {
        var (names, owner) = (NamesOf(key), $"{_ownerPrefix}:{Interlocked.Increment(ref _ownerCount)}");
        RedisResult reply;
        try
        {
            reply = await RunAsync(CacheScripts.Lock, names, CacheScripts.LockArguments(owner, options.Value.LockLifetime, unlessFinal));
        }
        catch (RedisServerException exception) when (IsOfAnotherType(exception))
        {
            await ReadAsync(key); // removes the value
            reply = await RunAsync(CacheScripts.Lock, names, CacheScripts.LockArguments(owner, options.Value.LockLifetime, unlessFinal));
        }

        var state = CacheScripts.LockStateOf(reply[0]);
        var view = ViewOf(key, names[0]!, names[1]!, (byte[]?)reply[1], (byte[]?)reply[2], (byte[]?)reply[3]);
        return new LockResult(state is LockState.Acquired ? new FetchLock(this, names, owner, _renewals) : null, state is LockState.Taken, view, IsReached: true);
    }

    /// <summary>Begins the life of a lock anew unless it was lost.</summary>
    public Task ExtendLockAsync(RedisKey[] names, string owner) =>
        RunAsync(CacheScripts.Extend, names, CacheScripts.ExtendArguments(owner, options.Value.LockLifetime));

    /// <summary>Releases a lock unless it was lost.</summary>
    public Task ReleaseLockAsync(RedisKey[] names, string owner) => RunAsync(CacheScripts.Release, names, [owner]);

    /// <summary>Whether Redis would remove the entry at once.</summary>
    public bool IsExpired(CacheEntry entry) => LifetimeOf(entry, clock.GetUtcNow()) <= TimeSpan.Zero;

    /// <summary>
    /// Stores an entry if the key's invalidation token is still <paramref name="token"/> and Redis holds nothing newer, and releases the lock, in one
    /// atomic script.
    /// </summary>
    public async Task<WriteResult> WriteAsync(CacheEntry entry, string? token, FetchLock? heldLock)
    {
        var now = clock.GetUtcNow();
        var names = heldLock?.Names ?? NamesOf(entry.Key);
        var bytes = codec.Encode(entry, names[entry.Kind is EntryKind.Final ? 0 : 1]!);
        var arguments = CacheScripts.WriteArguments(entry, bytes, token, LifetimeOf(entry, now) + (entry.Kind is EntryKind.Final ? TimeSpan.Zero : InterimRetention) + ExtraLifetime, now, TokenLifetime, heldLock?.Owner);
        return (WriteResult)(int)await RunAsync(CacheScripts.Write, names, arguments);
    }

    /// <summary>Removes the entries and sets a new invalidation token.</summary>
    public Task PurgeAsync(GenerationId key) => RunAsync(CacheScripts.Purge, NamesOf(key), CacheScripts.PurgeArguments(TokenLifetime));

    /// <summary>The names that the scripts change, in the order of <see cref="CacheScripts"/>.</summary>
    private RedisKey[] NamesOf(GenerationId key) => [Final(key), Interim(key), InvalidationToken(key), keyspace.NameOf(key.Value, "lock")];

    private static TimeSpan LifetimeOf(CacheEntry entry, DateTimeOffset now) => (entry.Kind is EntryKind.Final ? entry.StaleUntil : entry.FreshUntil) - now;

    /// <summary>Async, so that every exception of the client is in the task: callers that do not wait, such as the timer of a lock, handle no other one.</summary>
    private async Task<RedisResult> RunAsync(string script, RedisKey[] names, RedisValue[] arguments)
    {
        var redis = await connection.GetAsync();
        return await redis.GetDatabase().ScriptEvaluateAsync(script, names, arguments);
    }

    private RedisView ViewOf(GenerationId key, string finalName, string interimName, byte[]? token, byte[]? final, byte[]? interim) => new(
        codec.Decode(key, finalName, isFinal: true, final),
        codec.Decode(key, interimName, isFinal: false, interim),
        token is null ? null : Encoding.UTF8.GetString(token),
        true);

    /// <summary>A value of another Redis type is removed, so that a correct one can be written.</summary>
    private async Task<byte[]?> GetAsync(string name)
    {
        try
        {
            return await store.GetAsync(name);
        }
        catch (RedisServerException exception) when (IsOfAnotherType(exception))
        {
            return await RemoveAsync(name);
        }
    }

    private async Task<byte[]?> RemoveAsync(string name)
    {
        metrics.RecordCorrupt();
        await store.RemoveAsync(name);
        return null;
    }

    private static bool IsOfAnotherType(RedisServerException exception) => exception.Message.Contains("WRONGTYPE", StringComparison.Ordinal);

    private string Final(GenerationId key) => keyspace.NameOf(key.Value, "final");

    private string Interim(GenerationId key) => keyspace.NameOf(key.Value, "interim");

    private string InvalidationToken(GenerationId key) => keyspace.NameOf(key.Value, "token");
}
