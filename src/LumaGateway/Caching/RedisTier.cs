using System.Collections.Concurrent;
using System.Text;
using LumaGateway.Redis;
using Medallion.Threading;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>What Redis holds of one key.</summary>
/// <param name="Final">The final answer, fresh or not.</param>
/// <param name="Brief">An interim answer, or that there is no such subject.</param>
/// <param name="Epoch">Changes with every purge of the key; null where there was none lately.</param>
/// <param name="IsReached">Whether Redis answered.</param>
internal readonly record struct RedisView(CacheEntry? Final, CacheEntry? Brief, string? Epoch, bool IsReached)
{
    /// <summary>A final answer outranks an interim one: that is how a late interim answer never replaces it.</summary>
    public CacheEntry? Best => Final ?? Brief;
}

/// <summary>
/// Answers in Redis, shared by all replicas, and the lock under which one of them fetches. Never throws, and never takes much longer than
/// <see cref="RedisResilienceOptions.RedisTimeout"/> a step: without Redis it knows nothing and keeps nothing.
/// </summary>
internal sealed partial class RedisTier(
    RedisConnection connection,
    IDistributedCache store,
    RedisResilience guard,
    DistributedLocks locks,
    RedisKeyspace scope,
    RedisSigner signer,
    EntryLimits limits,
    IOptions<CacheOptions> options,
    TimeProvider clock,
    CacheMetrics metrics,
    ILogger<RedisTier> logger)
{
    /// <summary>How long memory may go without being verified in Redis: a purge mark that it has not seen by then may be gone.</summary>
    public static readonly TimeSpan TrustedUnseen = TimeSpan.FromMinutes(9);

    /// <summary>How long a purge is remembered: longer than any fetch begun before it, and than <see cref="TrustedUnseen"/>.</summary>
    private static readonly TimeSpan EpochLifetime = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(1);

    /// <summary>More purges than this are not repeated: their callers have been told that they were not confirmed.</summary>
    private const int MostUnconfirmed = 10_000;

    /// <summary>A purge is not hurried: whoever asks for it wants it done.</summary>
    private static readonly TimeSpan PurgeTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Redis forgets a little after freshness ended: the store counts in whole seconds, and clocks differ.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<CacheKey, bool> _unconfirmed = new();
    private int _unconfirmedCount;

    /// <summary>A purge that Redis had not confirmed at first is done now.</summary>
    public event Action<CacheKey>? PurgeConfirmed;

    public bool IsConfigured => connection.IsConfigured;

    /// <param name="key">The key.</param>
    /// <param name="isPatient">Whether the upstream is asked where Redis does not answer.</param>
    public async Task<RedisView> ReadAsync(CacheKey key, bool isPatient = false)
    {
        if (!IsConfigured || IsUnconfirmed(key))
        {
            return default;
        }

        // Finals, interims and purge marks stand apart; one round trip brings all three, since the connection pipelines. The mark is read first: an entry
        // from before a purge must never be paired with the mark that the purge left.
        var (final, brief) = (Final(key), Brief(key));
        var (values, reached) = await guard.ReadAsync(() => Task.WhenAll(LookAsync(Epoch(key)), LookAsync(final), LookAsync(brief)), [], isPatient);

        return reached && !IsUnconfirmed(key)
            ? new RedisView(Understand(key, final, isFinal: true, values[1]), Understand(key, brief, isFinal: false, values[2]), Text(values[0]), true)
            : default;
    }

    /// <summary>
    /// Does every kind of step once, unguarded: connecting and compiling take longer than a step may, and would be taken for a Redis that
    /// fails. Throws what Redis throws.
    /// </summary>
    public async Task WarmUpAsync()
    {
        var nobody = new CacheKey("-");
        await locks.TryOutAsync(Lock(nobody), options.Value.LockLifetime);
        await Task.WhenAll(LookAsync(Epoch(nobody)), LookAsync(Final(nobody)), LookAsync(Brief(nobody)));
        await guard.ReadAsync(() => Task.FromResult(true), false);
    }

    /// <summary>
    /// Keeps an entry where the key's purge mark is still <paramref name="epoch"/> and nothing newer is stored, in one step that Redis does as a whole: also a write
    /// that took too long and was left behind does no harm. <see cref="WriteResult.Kept"/> too where Redis cannot say.
    /// </summary>
    public async Task<WriteResult> WriteAsync(CacheEntry entry, string? epoch)
    {
        var key = entry.Subject;
        var now = clock.GetUtcNow();
        var life = (entry.Kind is EntryKind.Final ? entry.CoverUntil : entry.FreshUntil) - now;
        if (!IsConfigured || life <= TimeSpan.Zero || IsUnconfirmed(key))
        {
            return WriteResult.Kept;
        }

        var bytes = signer.Sign(SignedKind.Entry, entry.Kind is EntryKind.Final ? Final(key) : Brief(key), CacheEntryFormat.Write(entry));
        var arguments = CacheScripts.WriteArguments(entry, bytes, epoch, life + Slack, now, EpochLifetime);
        var (result, _) = await guard.WriteAsync(() => RunAsync(CacheScripts.Write, key, arguments), (int)WriteResult.Kept);
        return (WriteResult)result;
    }

    /// <summary>
    /// Forgets a key for good: fetches begun before do not bring it back. False where Redis did not confirm: then the purge is repeated until it does, and until then
    /// this process believes nothing of the key that Redis says.
    /// </summary>
    public async Task<bool> PurgeAsync(CacheKey key)
    {
        using var span = RedisSpan.Start("purge");
        try
        {
            await RunAsync(CacheScripts.Purge, key, CacheScripts.PurgeArguments(EpochLifetime)).WaitAsync(PurgeTimeout, clock);
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            span.Fail(exception);
            Remember(key);
            return false;
        }
    }

    /// <summary>The fleet's turn to fetch: a lock to release, null while another replica has it, and false where Redis cannot say.</summary>
    public Task<(IDistributedSynchronizationHandle? Turn, bool IsReached)> TryTakeTurnAsync(CacheKey key) =>
        locks.TryTakeAsync(Lock(key), options.Value.LockLifetime);

    private async Task<int> RunAsync(string script, CacheKey key, RedisValue[] arguments)
    {
        var redis = await connection.GetAsync();
        return (int)await redis.GetDatabase().ScriptEvaluateAsync(script, [Final(key), Brief(key), Epoch(key)], arguments);
    }

    private bool IsUnconfirmed(CacheKey key) => Volatile.Read(ref _unconfirmedCount) > 0 && _unconfirmed.ContainsKey(key);

    private void Remember(CacheKey key)
    {
        if (_unconfirmed.Count >= MostUnconfirmed || !_unconfirmed.TryAdd(key, true))
        {
            return;
        }

        if (Interlocked.Increment(ref _unconfirmedCount) == 1)
        {
            Log.NotConfirmed(logger);
            _ = RepeatAsync();
        }
    }

    /// <summary>Runs while there is a purge that Redis has not confirmed.</summary>
    private async Task RepeatAsync()
    {
        do
        {
            await Task.Delay(RepeatAfter, clock);
            foreach (var (key, _) in _unconfirmed)
            {
                if (await PurgeAsync(key) && _unconfirmed.TryRemove(key, out _))
                {
                    PurgeConfirmed?.Invoke(key);
                    if (Interlocked.Decrement(ref _unconfirmedCount) == 0)
                    {
                        Log.Confirmed(logger);
                        return; // whoever adds the next one begins anew
                    }
                }
                else
                {
                    break; // it does not answer the others either
                }
            }
        }
        while (true);
    }

    /// <summary>A value of another kind than the store writes is as good as none: it is removed, so that a right one can be written.</summary>
    private async Task<byte[]?> LookAsync(string name)
    {
        try
        {
            return await store.GetAsync(name);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            metrics.FoundCorrupt();
            await store.RemoveAsync(name);
            return null;
        }
    }

    /// <summary>Null where it is not whole, not authenticated, another's, or not of the kind that stands under this name. Its times are held to the limits.</summary>
    private CacheEntry? Understand(CacheKey key, string name, bool isFinal, byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        var entry = signer.TryVerify(SignedKind.Entry, name, bytes, out var verified) ? CacheEntryFormat.Read(key, verified) : null;
        if (entry is not null && entry.Kind is EntryKind.Final == isFinal && limits.Bound(entry, clock.GetUtcNow()) is { } bounded)
        {
            return bounded;
        }

        metrics.FoundCorrupt();
        return null;
    }

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);

    private string Final(CacheKey key) => scope.NameOf(key.Id, "final");

    private string Brief(CacheKey key) => scope.NameOf(key.Id, "brief");

    private string Epoch(CacheKey key) => scope.NameOf(key.Id, "epoch");

    private string Lock(CacheKey key) => scope.NameOf(key.Id, "lock");

    private static partial class Log
    {
        [LoggerMessage(2041, LogLevel.Warning, "Redis did not confirm a purge; it is repeated every second until it does. Other replicas may serve the purged answer until then.")]
        public static partial void NotConfirmed(ILogger logger);

        [LoggerMessage(2042, LogLevel.Information, "Redis has confirmed all purges that were outstanding.")]
        public static partial void Confirmed(ILogger logger);
    }
}
