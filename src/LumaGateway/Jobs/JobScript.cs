using LumaGateway.Redis;
using StackExchange.Redis;

namespace LumaGateway.Jobs;

/// <summary>
/// The part of a script that applies a <see cref="JobChange"/>, with its keys and arguments. A script that also writes another record of the ledger puts that
/// record into <c>KEYS[1]</c> and <c>ARGV[1]</c> to <c>ARGV[3]</c>.
/// </summary>
internal static class JobScript
{
    /// <summary>
    /// A job is written only if its key is free, or holds the same bytes because the script is repeated. Only then it is added to the two indexes, which lose the jobs that
    /// are older than the retention.
    /// </summary>
    public const string Apply = """
        if ARGV[8] ~= '' then
          redis.call('DEL', KEYS[3])
          redis.call('ZREM', KEYS[4], ARGV[8])
          redis.call('ZREM', KEYS[5], ARGV[8])
        end
        if ARGV[4] ~= '' and (redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[6], 'NX') or redis.call('GET', KEYS[2]) == ARGV[5]) then
          for i = 4, 5 do
            redis.call('ZADD', KEYS[i], ARGV[7], ARGV[4])
            redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', ARGV[9])
            redis.call('PEXPIRE', KEYS[i], ARGV[6])
          end
        end

        """;

    /// <param name="record">The other record that the script writes.</param>
    /// <param name="change">The change; null for none.</param>
    public static RedisKey[] Keys(string record, JobChange? change) =>
    [
        record, JobKeys.Of(change?.Add?.Key ?? ""), JobKeys.Of(change?.Remove?.Key ?? ""), JobKeys.AllJobs, JobKeys.OfGroup((change?.Add ?? change?.Remove)?.Group),
    ];

    public static RedisValue[] Values(JobChange? change, TimeSpan retention, RedisSigner signer, RedisValue first, RedisValue second, RedisValue third)
    {
        var (add, at) = (change?.Add, (change?.Add ?? change?.Remove)?.CreatedAt ?? DateTimeOffset.UnixEpoch);
        return
        [
            first, second, third,
            add?.Key ?? "", add is null ? "" : signer.Sign(SignedKind.Record, JobKeys.Of(add.Key), add.Serialize()), (long)retention.TotalMilliseconds,
            at.ToUnixTimeMilliseconds(), change?.Remove?.Key ?? "", (at - retention).ToUnixTimeMilliseconds(),
        ];
    }
}
