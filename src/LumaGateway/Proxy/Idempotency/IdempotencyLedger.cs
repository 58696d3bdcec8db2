using System.Security.Cryptography;
using System.Text;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Who creates under which key, and how it ended: in Redis for all replicas, or in this process where there is no Redis. Of several who claim
/// one key at the same time one gets it. Thread-safe.
/// </summary>
internal sealed partial class IdempotencyLedger(
    IIdempotencyStore store, RedisKeyspace scope, IOptions<PassthroughOptions> options, TimeProvider clock, ILogger<IdempotencyLedger> logger)
{
    /// <summary>How long after a create must be over it is still taken for running: clocks differ.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a refusal (400, 422) is kept: long enough for the repetitions of one call, and it cost nothing, so that another attempt later may be sent.
    /// </summary>
    private static readonly TimeSpan RefusalLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Goes up whenever a record's form or what a key belongs to changes. Not the cache's schema: a new shape of answers must not forget keys.</summary>
    private const string Schema = "2";

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>Claims a key. Throws <see cref="IdempotencyStoreUnavailableException"/> where it cannot be told whose it is.</summary>
    /// <param name="client">Whose create it is.</param>
    /// <param name="subject">Everything that two creates must have in common to be the same, beside the account: client, route, key.</param>
    /// <param name="fingerprint">Of what they send.</param>
    public async Task<IdempotencyClaim> ClaimAsync(string client, IEnumerable<string> subject, string fingerprint)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', subject)));
        var key = $"luma-gateway:create:{Schema}:{scope.Account}:{scope.Dialect}:{Convert.ToHexStringLower(digest)}";
        var record = new IdempotencyRecord(Guid.NewGuid().ToString("N"), fingerprint, clock.GetUtcNow() + options.Value.CreateTimeout + Slack);
        var written = record.Write();
        var first = await store.TryAddAsync(client, key, written, options.Value.IdempotencyLifetime);

        if (first is null)
        {
            return new IdempotencyClaim(client, key, record, written, IsOurs: true);
        }

        var known = IdempotencyRecord.Read(first);
        if (known is null)
        {
            Log.Unreadable(logger);
        }

        return new IdempotencyClaim(client, key, known ?? record with { IsUnknown = true }, first, IsOurs: false);
    }

    public Task SettleAsync(IdempotencyClaim claim, RecordedResponse answer) => EndAsync(claim, claim.Record with { Answer = answer });

    public Task MarkUnknownAsync(IdempotencyClaim claim) => EndAsync(claim, claim.Record with { IsUnknown = true });

    /// <summary>Nothing was done: the key may be used again.</summary>
    public Task FreeAsync(IdempotencyClaim claim) => EndAsync(claim, null);

    public bool IsRunning(IdempotencyRecord record) => !record.IsUnknown && record.Answer is null && clock.GetUtcNow() < record.Until;

    private TimeSpan LifeOf(IdempotencyRecord record) => record.Answer?.Status is StatusCodes.Status400BadRequest or StatusCodes.Status422UnprocessableEntity
        ? RefusalLifetime
        : options.Value.IdempotencyLifetime;

    /// <summary>
    /// Writes how a create ended, or frees its key (null). Tries twice: a store that is away stays behind with a record that reads as unknown once its
    /// time is over, so that nothing is sent a second time.
    /// </summary>
    private async Task EndAsync(IdempotencyClaim claim, IdempotencyRecord? record)
    {
        for (var last = false; ; last = true)
        {
            try
            {
                await (record is null ? store.RemoveAsync(claim.Key, claim.Written) : WriteAsync(claim, record));
                return;
            }
            catch (IdempotencyStoreUnavailableException exception)
            {
                if (last)
                {
                    Log.NotRecorded(logger, exception);
                    return;
                }

                await Task.Delay(TryAgainAfter, clock, CancellationToken.None);
            }
        }
    }

    /// <summary>Replaces the running record. Where the store has lost it, the outcome is added anew: a repetition must find it.</summary>
    private async Task WriteAsync(IdempotencyClaim claim, IdempotencyRecord record)
    {
        var ended = record.Write();
        var life = LifeOf(record);
        if (await store.ReplaceAsync(claim.Key, claim.Written, ended, life))
        {
            return;
        }

        var found = await store.TryAddAsync(claim.Client, claim.Key, ended, life);
        if (found is null)
        {
            Log.Lost(logger);
        }
        else if (IdempotencyRecord.Read(found)?.Owner != record.Owner) // our own where a replacement before this one was done but not confirmed
        {
            Log.ClaimedAnew(logger);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4301, LogLevel.Warning, "How a create ended could not be recorded; its Idempotency-Key will be answered with outcome_unknown.")]
        public static partial void NotRecorded(ILogger logger, Exception exception);

        [LoggerMessage(4302, LogLevel.Warning, "The ledger lost the record of an Idempotency-Key while its create ran; the outcome was written again. Give ConnectionStrings:Ledger a Redis with maxmemory-policy noeviction and persistence (infra/redis.md).")]
        public static partial void Lost(ILogger logger);

        [LoggerMessage(4303, LogLevel.Error, "The ledger lost the record of an Idempotency-Key while its create ran, and another request claimed the key: two creates may have been sent and billed. Give ConnectionStrings:Ledger a Redis with maxmemory-policy noeviction and persistence (infra/redis.md).")]
        public static partial void ClaimedAnew(ILogger logger);

        [LoggerMessage(4304, LogLevel.Warning, "The record of an Idempotency-Key could not be read, or no key of Cache:SigningKey verifies it; the request is answered with outcome_unknown and nothing is sent.")]
        public static partial void Unreadable(ILogger logger);
    }
}

/// <summary>A key, and who has it.</summary>
/// <param name="Client">The client whose create it is.</param>
/// <param name="Key">Its name in the store.</param>
/// <param name="Record">The record there.</param>
/// <param name="Written">The record as it was written.</param>
/// <param name="IsOurs">Whether whoever claimed it got it.</param>
internal sealed record IdempotencyClaim(string Client, string Key, IdempotencyRecord Record, byte[] Written, bool IsOurs);
