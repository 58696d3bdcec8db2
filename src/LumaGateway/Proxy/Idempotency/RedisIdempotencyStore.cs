using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Keeps idempotency records in Redis, shared by all replicas. A Redis that evicts or loses writes loses records. A record with an invalid signature is returned
/// as an empty array: the key is taken, but its state is unknown.
/// </summary>
internal sealed class RedisIdempotencyStore(LedgerDatabase ledger, RedisSigner signer, IOptions<JobsOptions> jobs) : IIdempotencyStore
{
    public const string AddScript = "local existing = redis.call('GET', KEYS[1]) if existing then return existing end redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])\n" + JobScript.Apply + "return false";
    public const string ReplaceScript = JobScript.Apply + "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 else return 0 end";
    public const string RemoveScript = JobScript.Apply + "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

    public async Task<byte[]?> TryAddAsync(string client, string key, byte[] record, TimeSpan lifetime, JobChange? change = null)
    {
        var added = signer.Sign(SignedKind.Record, key, record);
        return Verify(key, (RedisValue)await WriteAsync(
            AddScript, key, change, "", added, (long)lifetime.TotalMilliseconds, result => result.IsNull ? jobs.Value.LedgerReplicas : 0));
    }

    public async Task<byte[]?> FindAsync(string key) => Verify(key, await RunAsync(() => ledger.ReadAsync(database => database.StringGetAsync(key))));

    public Task<bool> ReplaceAsync(string key, byte[] expected, byte[] record, TimeSpan lifetime, JobChange? change = null)
    {
        var signed = signer.Sign(SignedKind.Record, key, record);
        return TryEachSignatureAsync(key, expected, async bytes => (bool)await WriteAsync(ReplaceScript, key, change, bytes, signed, (long)lifetime.TotalMilliseconds));
    }

    public Task RemoveAsync(string key, byte[] expected, JobChange? change = null) =>
        TryEachSignatureAsync(key, expected, async bytes => (bool)await WriteAsync(RemoveScript, key, change, bytes, "", ""));

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

    private byte[]? Verify(string key, RedisValue stored) =>
        stored.IsNull ? null : signer.TryVerify(SignedKind.Record, key, (byte[])stored!, out var verified) ? verified.ToArray() : [];

    private Task<RedisResult> WriteAsync(
        string script, string key, JobChange? change, RedisValue expected, RedisValue record, RedisValue lifetime, Func<RedisResult, int>? requiredReplicas = null) => RunAsync(() => ledger.WriteAsync(
            database => database.ScriptEvaluateAsync(script, JobScript.Keys(key, change), JobScript.Values(change, jobs.Value.Retention, signer, expected, record, lifetime)), requiredReplicas));

    private static async Task<T> RunAsync<T>(Func<Task<T>> command)
    {
        try
        {
            return await command();
        }
        catch (LedgerUnavailableException exception)
        {
            throw new IdempotencyStoreUnavailableException("Redis did not confirm.", exception.InnerException);
        }
    }
}
