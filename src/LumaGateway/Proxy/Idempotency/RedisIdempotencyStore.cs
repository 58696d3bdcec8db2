using LumaGateway.Redis;
using StackExchange.Redis;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Records in Redis, shared by all replicas. They are as safe as Redis is: one that evicts or loses writes loses records too. A record whose signature does not verify
/// is given back empty: it is there, and nothing is known of it.
/// </summary>
internal sealed class RedisIdempotencyStore(RedisConnection connection, RedisSigner signer, TimeProvider clock) : IIdempotencyStore
{
    private const string Replace = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 else return 0 end";
    private const string Remove = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

    /// <summary>Longer than a cache would wait: without a record nothing may be done at all.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<byte[]?> TryAddAsync(string owner, string key, byte[] record, TimeSpan life)
    {
        try
        {
            return await RunAsync(database => AddOrGetAsync(database, key, record, life));
        }
        catch (IdempotencyStoreUnavailableException)
        {
            _ = TakeBackAsync(key, record); // it may have been added without our hearing of it
            throw;
        }
    }

    public Task<bool> ReplaceAsync(string key, byte[] known, byte[] record, TimeSpan life) => RunAsync(async database =>
    {
        var signed = signer.Sign(SignedKind.Record, key, record);
        return await AnyAsync(key, known, async before => (bool)await database.ScriptEvaluateAsync(Replace, [key], [before, signed, (long)life.TotalMilliseconds]));
    });

    public Task RemoveAsync(string key, byte[] known) => RunAsync(database =>
        AnyAsync(key, known, async before => (bool)await database.ScriptEvaluateAsync(Remove, [key], [before])));

    /// <summary>The key may have been rotated since the known record was written: it is looked for as each key signs it.</summary>
    private async Task<bool> AnyAsync(string key, byte[] known, Func<byte[], Task<bool>> tryAsync)
    {
        foreach (var before in signer.SignWithEach(SignedKind.Record, key, known))
        {
            if (await tryAsync(before))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<byte[]?> AddOrGetAsync(IDatabase database, string key, byte[] record, TimeSpan life)
    {
        var signed = signer.Sign(SignedKind.Record, key, record);
        while (true)
        {
            if (await database.StringSetAsync(key, signed, life, When.NotExists))
            {
                return null;
            }

            if (await database.StringGetAsync(key) is { IsNull: false } first)
            {
                return signer.TryVerify(SignedKind.Record, key, (byte[])first!, out var verified) ? verified.ToArray() : [];
            }

            // It ended between the two questions.
        }
    }

    private async Task TakeBackAsync(string key, byte[] record)
    {
        try
        {
            await RemoveAsync(key, record);
        }
        catch (IdempotencyStoreUnavailableException)
        {
            // Then it runs out by itself.
        }
    }

    private async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> step)
    {
        try
        {
            var redis = await connection.GetAsync().WaitAsync(Patience, clock);
            return await step(redis.GetDatabase()).WaitAsync(Patience, clock);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            throw new IdempotencyStoreUnavailableException("Redis did not confirm.", exception);
        }
    }
}
