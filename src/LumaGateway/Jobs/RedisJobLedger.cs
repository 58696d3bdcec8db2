using LumaGateway.Contracts;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Jobs;

/// <summary>Keeps the jobs in Redis, shared by all replicas. A record with an invalid signature counts as none.</summary>
internal sealed partial class RedisJobLedger(
    LedgerDatabase ledger, RedisSigner signer, IOptions<JobsOptions> options, TimeProvider clock, ILogger<RedisJobLedger> logger) : IJobLedger
{
    public const string UpdateScript = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') return 1 else return 0 end";

    /// <summary>How many more entries than asked for are read at first: jobs of the same millisecond as the cursor are skipped.</summary>
    private const int PageMargin = 16;

    /// <summary>Another replica can change the record between the read and the write: to processing, and to a final state.</summary>
    private const int MaxUpdateAttempts = 3;

    private readonly TimeSpan _retention = options.Value.Retention;

    public async ValueTask<Job?> FindAsync(GenerationId id, CancellationToken cancellationToken)
    {
        var key = JobKeys.Of(id.Value);
        return Read(key, await ledger.ReadAsync(database => database.StringGetAsync(key), cancellationToken));
    }

    public async ValueTask<IReadOnlyList<Job?>> FindAsync(IReadOnlyList<GenerationId> ids, CancellationToken cancellationToken) =>
        await FindAsync(ids.Select(id => JobKeys.Of(id.Value)).ToArray(), cancellationToken);

    public async Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken)
    {
        var index = query.Group is null ? JobKeys.AllJobs : JobKeys.OfGroup(query.Group);
        var latest = Math.Min(query.To.ToUnixTimeMilliseconds(), query.After?.At ?? long.MaxValue);
        for (var take = query.Count + PageMargin; ; take *= 2)
        {
            var read = take;
            var entries = await ledger.ReadAsync(
                database => database.SortedSetRangeByScoreWithScoresAsync(index, query.From.ToUnixTimeMilliseconds(), latest, Exclude.None, Order.Descending, 0, read), cancellationToken);
            var positions = entries
                .Select(entry => new JobPosition((long)entry.Score, entry.Element!))
                .Where(position => query.After?.IsBefore(position) is not false)
                .Take(query.Count)
                .ToList();
            if (positions.Count == 0 && entries.Length == take)
            {
                continue; // more jobs in one millisecond than were read
            }

            var jobs = await FindAsync(positions.Select(position => JobKeys.Of(position.Key)).ToArray(), cancellationToken);
            var isEnd = positions.Count < query.Count && entries.Length < take;
            return new JobPage([.. jobs.OfType<Job>()], isEnd ? null : positions[^1]);
        }
    }

    public Task ApplyAsync(JobChange change) => ledger.WriteAsync(database => database.ScriptEvaluateAsync(
        JobScript.Apply, JobScript.Keys(JobKeys.AllJobs, change), JobScript.Values(change, _retention, signer, "", "", "")));

    public async Task<Job?> UpdateAsync(GenerationId id, JobState state, string? model)
    {
        var key = JobKeys.Of(id.Value);
        for (var attempt = 1; ; attempt++)
        {
            var stored = await ledger.ReadAsync(database => database.StringGetAsync(key));
            var job = Read(key, stored);
            if (job is null || !job.CanBecome(state))
            {
                return job;
            }

            var updated = job with { State = state, Model = job.Model ?? model };
            var result = await ledger.WriteAsync(database => database.ScriptEvaluateAsync(UpdateScript, [key], [stored, signer.Sign(SignedKind.Record, key, updated.Serialize())]));
            if ((bool)result || attempt == MaxUpdateAttempts)
            {
                return job;
            }
        }
    }

    public Task RememberAsync(GenerationId id, string account, string dialect)
    {
        var job = new Job(id.Value, account, dialect, Client: null, Group: null, Model: null, clock.GetUtcNow(), IdempotencyKeyHash: null, JobState.Queued);
        var key = JobKeys.Of(job.Key);
        return ledger.WriteAsync(database => database.StringSetAsync(key, signer.Sign(SignedKind.Record, key, job.Serialize()), _retention, When.NotExists));
    }

    private async Task<Job?[]> FindAsync(string[] keys, CancellationToken cancellationToken)
    {
        var values = keys.Length == 0 ? [] : await ledger.ReadAsync(database => database.StringGetAsync([.. keys.Select(key => (RedisKey)key)]), cancellationToken);
        return [.. keys.Zip(values, Read)];
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
