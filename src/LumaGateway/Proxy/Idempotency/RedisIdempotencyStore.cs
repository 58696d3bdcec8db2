using LumaGateway.Redis;
using StackExchange.Redis;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Keeps idempotency records in Redis, shared by all replicas. A Redis that evicts or loses writes loses records. A record with an invalid signature is returned
/// as an empty array: the key is taken, but its state is unknown.
/// </summary>
internal sealed class RedisIdempotencyStore(RedisConnection connection, RedisSigner signer, TimeProvider clock) : IIdempotencyStore
{
    private const string ReplaceScript = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 else return 0 end";
    private const string RemoveScript = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

    /// <summary>Longer than the cache waits: without a record the create must not be sent.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    public async Task<byte[]?> TryAddAsync(string client, string key, byte[] record, TimeSpan lifetime)
    {
        try
        {
            return await RunAsync(database => AddOrGetAsync(database, key, record, lifetime));
        }
        catch (IdempotencyStoreUnavailableException)
        {
            _ = UndoAddAsync(key, record); // Redis may have added the record although it did not confirm
            throw;
        }
    }

    public Task<byte[]?> FindAsync(string key) => RunAsync(database => GetAsync(database, key));

    public Task<bool> ReplaceAsync(string key, byte[] expected, byte[] record, TimeSpan lifetime) => RunAsync(async database =>
    {
        var signed = signer.Sign(SignedKind.Record, key, record);
        return await TryEachSignatureAsync(key, expected, async expectedBytes => (bool)await database.ScriptEvaluateAsync(ReplaceScript, [key], [expectedBytes, signed, (long)lifetime.TotalMilliseconds]));
    });

    public Task RemoveAsync(string key, byte[] expected) => RunAsync(database =>
        TryEachSignatureAsync(key, expected, async expectedBytes => (bool)await database.ScriptEvaluateAsync(RemoveScript, [key], [expectedBytes])));

    /// <summary>Runs the script with the expected record signed by each signing key: the key may have been rotated since the record was written.</summary>
    private async Task<bool> TryEachSignatureAsync(string key, byte[] expected, Func<byte[], Task<bool>> runAsync)
    {
        foreach (var expectedBytes in signer.SignWithEach(SignedKind.Record, key, expected))
        {
            if (await runAsync(expectedBytes))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<byte[]?> AddOrGetAsync(IDatabase database, string key, byte[] record, TimeSpan lifetime)
    {
        var signed = signer.Sign(SignedKind.Record, key, record);
        while (true)
        {
            if (await database.StringSetAsync(key, signed, lifetime, When.NotExists))
            {
                return null;
            }

            if (await GetAsync(database, key) is { } existing)
            {
                return existing;
            }

            // The record expired between SET and GET.
        }
    }

    private async Task<byte[]?> GetAsync(IDatabase database, string key) => await database.StringGetAsync(key) is not { IsNull: false } stored ? null
        : signer.TryVerify(SignedKind.Record, key, (byte[])stored!, out var verified) ? verified.ToArray() : [];

    private async Task UndoAddAsync(string key, byte[] record)
    {
        try
        {
            await RemoveAsync(key, record);
        }
        catch (IdempotencyStoreUnavailableException)
        {
            // The record expires by itself.
        }
    }

    private async Task<T> RunAsync<T>(Func<IDatabase, Task<T>> command)
    {
        try
        {
            var redis = await connection.GetAsync().WaitAsync(Timeout, clock);
            return await command(redis.GetDatabase()).WaitAsync(Timeout, clock);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            throw new IdempotencyStoreUnavailableException("Redis did not confirm.", exception);
        }
    }
}
