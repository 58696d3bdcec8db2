using System.Text;
using LumaGateway.Sharing;
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
internal readonly record struct SharedView(CacheEntry? Final, CacheEntry? Brief, string? Epoch, bool IsReached)
{
    /// <summary>A final answer outranks an interim one: that is how a late interim answer never replaces it.</summary>
    public CacheEntry? Best => Final ?? Brief;
}

/// <summary>
/// Answers in Redis, shared by all replicas, and the lock under which one of them fetches. Never throws, and never takes much longer than
/// <see cref="RedisGuardOptions.RedisTimeout"/> a step: without Redis it knows nothing and keeps nothing.
/// </summary>
internal sealed class SharedLevel(
    RedisConnection connection,
    IDistributedCache store,
    RedisGuard guard,
    FleetLocks locks,
    FleetScope scope,
    IOptions<CacheOptions> options,
    TimeProvider clock,
    CacheMetrics metrics)
{
    /// <summary>How long a purge is remembered: longer than any fetch begun before it, and than memory is believed unseen.</summary>
    private static readonly TimeSpan EpochLifetime = TimeSpan.FromMinutes(10);

    /// <summary>A purge is not hurried: whoever asks for it wants it done.</summary>
    private static readonly TimeSpan PurgeTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Redis forgets a little after freshness ended: the store counts in whole seconds, and clocks differ.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);

    public bool IsConfigured => connection.IsConfigured;

    /// <param name="key">The key.</param>
    /// <param name="isPatient">Whether the upstream is asked where Redis does not answer.</param>
    public async Task<SharedView> ReadAsync(CacheKey key, bool isPatient = false)
    {
        if (!IsConfigured)
        {
            return default;
        }

        // Finals, interims and purge marks stand apart; one round trip brings all three, since the connection pipelines.
        var (values, reached) = await guard.ReadAsync(
            () => Task.WhenAll(LookAsync(Final(key)), LookAsync(Brief(key)), LookAsync(Epoch(key))), [], isPatient);

        return reached ? new SharedView(Understand(key, values[0]), Understand(key, values[1]), Text(values[2]), true) : default;
    }

    /// <summary>
    /// Does every kind of step once, unguarded: connecting and compiling take longer than a step may, and would be taken for a Redis that
    /// fails. Throws what Redis throws.
    /// </summary>
    public async Task WarmUpAsync()
    {
        var nobody = new CacheKey("-");
        await locks.TryOutAsync(Lock(nobody), options.Value.LockLifetime);
        await Task.WhenAll(LookAsync(Final(nobody)), LookAsync(Brief(nobody)), LookAsync(Epoch(nobody)));
        await guard.ReadAsync(() => Task.FromResult(true), false);
    }

    /// <summary>Keeps an entry, unless the key was purged since <paramref name="epoch"/> was seen: false then, and nothing is kept.</summary>
    public async Task<bool> WriteAsync(CacheEntry entry, string? epoch)
    {
        var key = entry.Subject;
        var life = (entry.Kind is EntryKind.Final ? entry.CoverUntil : entry.FreshUntil) - clock.GetUtcNow();
        if (!IsConfigured || life <= TimeSpan.Zero)
        {
            return true;
        }

        var (kept, _) = await guard.WriteAsync(
            async () =>
            {
                var expiry = new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = life + Slack };
                var writing = store.SetAsync(entry.Kind is EntryKind.Final ? Final(key) : Brief(key), CacheEntryFormat.Write(entry), expiry);
                var forgetting = entry.Kind is EntryKind.Absent ? store.RemoveAsync(Final(key)) : Task.CompletedTask;

                // Asked for after the write: a purge before it is seen here, one after it deletes what was written. Done here, so that it is
                // also done for a write that took too long and was left behind.
                var marking = store.GetAsync(Epoch(key));
                await Task.WhenAll(writing, forgetting, marking);
                if (Text(await marking) == epoch)
                {
                    return true;
                }

                await ForgetAsync(key);
                return false;
            },
            true);

        return kept;
    }

    /// <summary>Forgets a key for good: fetches begun before do not bring it back. False where Redis did not confirm.</summary>
    public async Task<bool> PurgeAsync(CacheKey key)
    {
        using var span = RedisSpan.Start("purge");
        try
        {
            await MarkAndForgetAsync(key).WaitAsync(PurgeTimeout, clock);
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            span.Fail(exception);
            return false;
        }
    }

    /// <summary>The fleet's turn to fetch: a lock to release, null while another replica has it, and false where Redis cannot say.</summary>
    public Task<(IDistributedSynchronizationHandle? Turn, bool IsReached)> TryTakeTurnAsync(CacheKey key) =>
        locks.TryTakeAsync(Lock(key), options.Value.LockLifetime);

    private async Task MarkAndForgetAsync(CacheKey key)
    {
        var mark = Encoding.UTF8.GetBytes(Guid.NewGuid().ToString("N"));
        await store.SetAsync(Epoch(key), mark, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = EpochLifetime });
        await ForgetAsync(key);
    }

    private Task ForgetAsync(CacheKey key) => Task.WhenAll(store.RemoveAsync(Final(key)), store.RemoveAsync(Brief(key)));

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

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);

    private string Final(CacheKey key) => scope.NameOf(key.Id, "final");

    private string Brief(CacheKey key) => scope.NameOf(key.Id, "brief");

    private string Epoch(CacheKey key) => scope.NameOf(key.Id, "epoch");

    private string Lock(CacheKey key) => scope.NameOf(key.Id, "lock");
}
