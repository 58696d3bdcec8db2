using LumaGateway.Contracts;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Jobs;

/// <summary>Keeps the jobs in Redis, shared by all replicas. A record with an invalid signature counts as none.</summary>
internal sealed partial class RedisJobLedger(
    LedgerDatabase ledger, RedisSigner signer, IOptions<JobsOptions> options, TimeProvider clock, ILogger<RedisJobLedger> logger) : IJobLedger
{
    private readonly TimeSpan _retention = options.Value.Retention;

    public async ValueTask<Job?> FindAsync(GenerationId id, CancellationToken cancellationToken)
    {
        var key = JobKeys.Of(id.Value);
        return Read(key, await ledger.ReadAsync(database => database.StringGetAsync(key), cancellationToken));
    }

    public async ValueTask<IReadOnlyList<Job?>> FindAsync(IReadOnlyList<GenerationId> ids, CancellationToken cancellationToken)
    {
        string[] keys = [.. ids.Select(id => JobKeys.Of(id.Value))];
        var values = await ledger.ReadAsync(database => database.StringGetAsync([.. keys.Select(key => (RedisKey)key)]), cancellationToken);
        return [.. keys.Zip(values, Read)];
    }

    public Task ApplyAsync(JobChange change) => ledger.WriteAsync(database => database.ScriptEvaluateAsync(
        JobScript.Apply, JobScript.Keys(JobKeys.AllJobs, change), JobScript.Values(change, _retention, signer, "", "", "")));

    public Task RememberAsync(GenerationId id, string account, string dialect)
    {
        var job = new Job(id.Value, account, dialect, Client: null, Group: null, Model: null, clock.GetUtcNow(), IdempotencyKeyHash: null, JobState.Queued);
        var key = JobKeys.Of(job.Key);
        return ledger.WriteAsync(database => database.StringSetAsync(key, signer.Sign(SignedKind.Record, key, job.Serialize()), _retention, When.NotExists));
    }

    private Job? Read(string key, RedisValue stored)
    {
        if (stored.IsNull)
        {
            return null;
        }

        var job = signer.TryVerify(SignedKind.Record, key, (byte[])stored!, out var verified) ? Job.Deserialize(verified) : null;
        if (job is null)
        {
            Log.Unreadable(logger);
        }

        return job;
    }

    private static partial class Log
    {
        [LoggerMessage(4321, LogLevel.Warning, "The record of a job is invalid, or no key of Cache:SigningKey verifies it. The gateway treats its id as unknown.")]
        public static partial void Unreadable(ILogger logger);
    }
}
