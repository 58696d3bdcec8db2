using LumaGateway.Contracts;
using LumaGateway.Redis;
using StackExchange.Redis;

namespace LumaGateway.Jobs;

/// <summary>
/// Slots in the ledger's Redis: for each account one sorted set of leases by their expiry, and one of the creates of the last minute. The time is that of Redis, so the
/// clocks of replicas do not matter. The hash tag is the account. A failover can lose leases: the account's limit can then be exceeded for a short time.
/// </summary>
internal sealed class RedisSlotStore(LedgerDatabase ledger) : ISlotStore
{
    public const string TakeScript = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60000)
        if tonumber(ARGV[3]) > 0 and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then
          return redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] + 60000 - now
        end
        if tonumber(ARGV[2]) > 0 and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
        redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[1])
        redis.call('ZADD', KEYS[2], now, ARGV[1])
        redis.call('PEXPIRE', KEYS[2], 60000)
        return -1
        """;

    public const string BindScript = """
        local time = redis.call('TIME')
        redis.call('ZREM', KEYS[1], ARGV[1])
        redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3], ARGV[2])
        """;

    public async Task<TimeSpan?> TryTakeAsync(string account, string lease, SlotLimits limits, TimeSpan lifetime)
    {
        var result = (long)await RunAsync(TakeScript, [ActiveOf(account), $"luma-gateway:{{slots:{account}}}:minute"], [lease, limits.ConcurrentJobs, limits.CreatesPerMinute, (long)lifetime.TotalMilliseconds]);
        return result < 0 ? null : TimeSpan.FromMilliseconds(result);
    }

    public Task BindAsync(string account, string lease, GenerationId id, TimeSpan lifetime) =>
        RunAsync(BindScript, [ActiveOf(account)], [lease, id.Value, (long)lifetime.TotalMilliseconds]);

    public Task ReleaseAsync(string account, string holder) => ledger.ReadAsync(database => database.SortedSetRemoveAsync(ActiveOf(account), holder));

    public async Task<IReadOnlyList<GenerationId>> HoldersAsync(string account)
    {
        var holders = await ledger.ReadAsync(database => database.SortedSetRangeByRankAsync(ActiveOf(account)));
        return [.. holders.Select(static holder => GenerationId.TryParse(holder, null, out var id) ? id : default).Where(static id => id.Value.Length > 0)];
    }

    private static string ActiveOf(string account) => $"luma-gateway:{{slots:{account}}}:active";

    private Task<RedisResult> RunAsync(string script, RedisKey[] keys, RedisValue[] values) =>
        ledger.ReadAsync(database => database.ScriptEvaluateAsync(script, keys, values)); // WAIT would cost more than a lost lease
}
