using System.Text;
using Medallion.Threading.Redis;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>What Redis holds of one key.</summary>
/// <param name="Final">The final answer, fresh or not.</param>
/// <param name="Brief">An interim answer, or that there is no such subject.</param>
/// <param name="Epoch">Changes with every purge of the key; null where there was none lately.</param>
/// <param name="IsReached">Whether Redis answered.</param>
internal readonly record struct SharedView(CacheEntry? Final, CacheEntry? Brief, string? Epoch, bool IsReached)
{
    /// <summary>A final answer outranks an interim one: that is how a late interim answer never replaces it.</summary>
    public CacheEntry? Best => Final ?? Brief;
}

/// <summary>
/// Answers in Redis, shared by all replicas, and the lock under which one of them fetches. Never throws and never takes longer than
/// <see cref="CacheOptions.RedisTimeout"/> a step: without Redis it knows nothing and keeps nothing.
/// </summary>
internal sealed class SharedLevel(
    RedisConnection connection, IDistributedCache store, RedisGuard guard, CacheScope scope, IOptions<CacheOptions> options, TimeProvider clock, CacheMetrics metrics)
{
    /// <summary>How long a purge is remembered: longer than any fetch begun before it, and than memory is believed unseen.</summary>
    private static readonly TimeSpan EpochLifetime = TimeSpan.FromMinutes(10);

    public bool IsConfigured => connection.IsConfigured;

    public async Task<SharedView> ReadAsync(CacheKey key)
    {
        if (!IsConfigured)
        {
            return default;
        }

        // Finals, interims and purge marks stand apart; one round trip brings all three, since the connection pipelines.
        var (values, reached) = await guard.ReadAsync(
            () => Task.WhenAll(store.GetAsync(Final(key)), store.GetAsync(Brief(key)), store.GetAsync(Epoch(key))), []);

        return reached
            ? new SharedView(Understand(key, values[0]), Understand(key, values[1]), values[2] is { } mark ? Encoding.UTF8.GetString(mark) : null, true)
            : default;
    }

    /// <summary>Keeps an entry, unless the key was purged since <paramref name="epoch"/> was seen: false then, and nothing is kept.</summary>
    public async Task<bool> WriteAsync(CacheEntry entry, string? epoch)
    {
        var key = entry.Subject;
        var until = entry.Kind is EntryKind.Final ? entry.CoverUntil : entry.FreshUntil;
        var life = until - clock.GetUtcNow();
        if (!IsConfigured || life <= TimeSpan.Zero)
        {
            return true;
        }

        var (now, written) = await guard.WriteAsync(
            async () =>
            {
                var expiry = new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = life };
                var writing = store.SetAsync(entry.Kind is EntryKind.Final ? Final(key) : Brief(key), CacheEntryFormat.Write(entry), expiry);
                var forgetting = entry.Kind is EntryKind.Absent ? store.RemoveAsync(Final(key)) : Task.CompletedTask;

                // Asked for after the write: a purge before it is seen here, one after it deletes what was written.
                var marking = store.GetAsync(Epoch(key));
                await Task.WhenAll(writing, forgetting, marking);
                return await marking is { } mark ? Encoding.UTF8.GetString(mark) : null;
            },
            epoch);

        if (written && now != epoch)
        {
            await ForgetEntriesAsync(key);
            return false;
        }

        return true;
    }

    /// <summary>Forgets a key for good: fetches begun before do not bring it back. False where Redis did not confirm.</summary>
    public async Task<bool> PurgeAsync(CacheKey key)
    {
        var (_, marked) = await guard.WriteAsync(
            async () =>
            {
                var mark = Encoding.UTF8.GetBytes(Guid.NewGuid().ToString("N"));
                await store.SetAsync(Epoch(key), mark, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = EpochLifetime });
                return true;
            },
            false);

        return marked && await ForgetEntriesAsync(key);
    }

    /// <summary>The fleet's turn to fetch: a lease to dispose of, null while another replica has it, and false where Redis cannot say.</summary>
    public async Task<(IAsyncDisposable? Lease, bool IsReached)> TryLockAsync(CacheKey key)
    {
        var acquiring = default(Task<IAsyncDisposable?>);
        var (lease, reached) = await guard.WriteAsync(
            async () =>
            {
                var redis = await connection.GetAsync();
                var life = options.Value.LockLifetime;
                var turn = new RedisDistributedLock(scope.Prefix + key + ":lock", redis.GetDatabase(), lease => lease
                    .Expiry(life)
                    .ExtensionCadence(life / 3)
                    .MinValidityTime(life / 2));
                acquiring = AcquireAsync(turn);
                return await acquiring;
            },
            null);

        if (!reached && acquiring is not null)
        {
            _ = ReleaseAsync(acquiring); // it may still be got, and nobody else would ever give it back
        }

        return (lease, reached);
    }

    /// <summary>Gives a lease back, in nobody's time: if Redis is away it runs out by itself.</summary>
    public static void Release(IAsyncDisposable? lease)
    {
        if (lease is not null)
        {
            _ = ReleaseAsync(Task.FromResult<IAsyncDisposable?>(lease));
        }
    }

    private async Task<bool> ForgetEntriesAsync(CacheKey key)
    {
        var (_, forgotten) = await guard.WriteAsync(
            async () =>
            {
                await Task.WhenAll(store.RemoveAsync(Final(key)), store.RemoveAsync(Brief(key)));
                return true;
            },
            false);

        return forgotten;
    }

    private static async Task<IAsyncDisposable?> AcquireAsync(RedisDistributedLock turn) => await turn.TryAcquireAsync(TimeSpan.Zero);

    private static async Task ReleaseAsync(Task<IAsyncDisposable?> acquiring)
    {
        try
        {
            if (await acquiring is { } lease)
            {
                await lease.DisposeAsync();
            }
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            // It runs out by itself.
        }
    }

    private CacheEntry? Understand(CacheKey key, byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        var entry = CacheEntryFormat.Read(key, bytes);
        if (entry is null)
        {
            metrics.FoundCorrupt();
        }

        return entry;
    }

    private string Final(CacheKey key) => scope.Prefix + key + ":final";

    private string Brief(CacheKey key) => scope.Prefix + key + ":brief";

    private string Epoch(CacheKey key) => scope.Prefix + key + ":epoch";
}
