using System.Security.Cryptography;
using System.Text;
using LumaGateway.Jobs;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Claims idempotency keys and records the outcomes of their creates. Of several concurrent claims of one key, one is acquired. Redis holds the records for all
/// replicas; without Redis they are in this process. Thread-safe.
/// </summary>
internal sealed partial class IdempotencyLedger(
    IIdempotencyStore store, RedisKeyspace keyspace, IOptions<PassthroughOptions> options, TimeProvider clock, ILogger<IdempotencyLedger> logger) : IDisposable
{
    /// <summary>How long after its timeout a create still counts as running: the replicas' clocks differ.</summary>
    private static readonly TimeSpan ClockSkewAllowance = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a 400 or 422 response is kept. It covers the retries of one call. The create was not billed, so a later attempt may be sent.
    /// </summary>
    private static readonly TimeSpan InvalidRequestLifetime = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Increment it when the record's format or the scope of a key changes. It is independent of the cache's schema: a new cache format must not invalidate keys.
    /// </summary>
    private const string Schema = "2";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>The claims whose creates were not sent, or were refused, and whose removal the store did not confirm. During a failover this takes longer than two attempts.</summary>
    private readonly UnconfirmedWrites<IdempotencyClaim> _unremoved = new(clock, () => Log.NotRemoved(logger), () => Log.Removed(logger));

    /// <summary>Claims a key. Throws <see cref="IdempotencyStoreUnavailableException"/> if the store does not confirm.</summary>
    /// <param name="client">The client that sends the create.</param>
    /// <param name="subject">Client, route and key; together they identify a create within the account.</param>
    /// <param name="fingerprint">A digest of query and body.</param>
    /// <param name="previousSubject">The subject of the previous release, whose records count too, until they expire.</param>
    /// <param name="attempt">The job of the create, recorded in the same step; null if the request makes no generation.</param>
    public async Task<IdempotencyClaim> ClaimAsync(string client, IEnumerable<string> subject, string fingerprint, IEnumerable<string> previousSubject, Job? attempt = null)
    {
        var key = $"{LedgerConnection.Prefix}create:{Schema}:{keyspace.Account}:{keyspace.Dialect}:{DigestOf(subject)}";
        var previousKey = $"luma-gateway:create:{keyspace.Account}:{DigestOf(previousSubject)}";
        var record = new IdempotencyRecord(Guid.NewGuid().ToString("N"), fingerprint, clock.GetUtcNow() + options.Value.CreateTimeout + ClockSkewAllowance);
        var bytes = record.Serialize();
        var claim = new IdempotencyClaim(client, key, record, bytes, IsAcquired: true, attempt);
        var existing = await store.FindAsync(previousKey) ?? await TryAddAsync(claim);
        if (existing is null)
        {
            return claim;
        }

        var found = IdempotencyRecord.Deserialize(existing);
        if (found is null)
        {
            Log.Unreadable(logger);
        }

        return new IdempotencyClaim(client, key, found ?? record with { IsOutcomeUnknown = true }, existing, IsAcquired: false);
    }

    private async Task<byte[]?> TryAddAsync(IdempotencyClaim claim)
    {
        try
        {
            return await store.TryAddAsync(claim.Client, claim.Key, claim.RecordBytes, options.Value.IdempotencyLifetime, claim.Attempt is { } attempt ? JobChange.Begin(attempt) : null);
        }
        catch (IdempotencyStoreUnavailableException)
        {
            _ = UndoAsync(claim); // the store may have added the claim although it did not confirm
            throw;
        }
    }

    /// <summary>Only a claim is undone: its create is not sent. Never throws.</summary>
    private async Task UndoAsync(IdempotencyClaim claim)
    {
        if (!await TryRemoveAsync(claim))
        {
            _unremoved.Add(claim, TryRemoveAsync);
        }
    }

    /// <summary>
    /// Removes a claim whose create was not sent, or was refused. It may be repeated at any time: no other claim has the same bytes. Returns true if the store confirmed,
    /// or the record has expired. Never throws.
    /// </summary>
    private async Task<bool> TryRemoveAsync(IdempotencyClaim claim)
    {
        if (clock.GetUtcNow() >= claim.Record.Deadline + options.Value.IdempotencyLifetime)
        {
            return true;
        }

        try
        {
            await store.RemoveAsync(claim.Key, claim.RecordBytes, claim.Attempt is { } attempt ? JobChange.Cancel(attempt) : null);
            return true;
        }
        catch (IdempotencyStoreUnavailableException)
        {
            return false;
        }
    }

    /// <summary>SHA-256 of the subject of a create in lower-case hex.</summary>
    public static string DigestOf(IEnumerable<string> subject) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', subject))));

    /// <summary>Records the response of a settled create and, in the same step, the end of its job.</summary>
    public Task RecordResponseAsync(IdempotencyClaim claim, RecordedResponse response, JobChange? change = null) =>
        RecordOutcomeAsync(claim, claim.Record with { Response = response }, change);

    /// <summary>The job of the create stays: its state is unknown since the claim. The change names another account if the create has moved.</summary>
    public Task RecordUnknownAsync(IdempotencyClaim claim, JobChange? change = null) => RecordOutcomeAsync(claim, claim.Record with { IsOutcomeUnknown = true }, change);

    /// <summary>Makes the key usable again, after a create that was not sent, or that the upstream refused. After two attempts it continues in the background.</summary>
    public async Task ReleaseAsync(IdempotencyClaim claim)
    {
        if (!await TryRemoveAsync(claim))
        {
            await Task.Delay(RetryDelay, clock, CancellationToken.None);
            await UndoAsync(claim);
        }
    }

    /// <summary>Ends the repeated removals.</summary>
    public void Dispose() => _unremoved.Dispose();

    public bool IsRunning(IdempotencyRecord record) => !record.IsOutcomeUnknown && record.Response is null && clock.GetUtcNow() < record.Deadline;

    private TimeSpan LifetimeOf(IdempotencyRecord record) => record.Response?.Status is StatusCodes.Status400BadRequest or StatusCodes.Status422UnprocessableEntity
        ? InvalidRequestLifetime
        : options.Value.IdempotencyLifetime;

    /// <summary>
    /// Writes the record in at most two attempts. If both fail, the running record stays. It counts as unknown after its deadline, so the create is not sent a
    /// second time.
    /// </summary>
    private async Task RecordOutcomeAsync(IdempotencyClaim claim, IdempotencyRecord record, JobChange? change)
    {
        for (var isLastAttempt = false; ; isLastAttempt = true)
        {
            try
            {
                await ReplaceOrAddAsync(claim, record, change);
                return;
            }
            catch (IdempotencyStoreUnavailableException exception)
            {
                if (isLastAttempt)
                {
                    Log.NotRecorded(logger, exception);
                    return;
                }

                await Task.Delay(RetryDelay, clock, CancellationToken.None);
            }
        }
    }

    /// <summary>Replaces the running record. If the store has lost it, adds the new record, because a repetition must find the outcome.</summary>
    private async Task ReplaceOrAddAsync(IdempotencyClaim claim, IdempotencyRecord record, JobChange? change)
    {
        var bytes = record.Serialize();
        var lifetime = LifetimeOf(record);
        if (await store.ReplaceAsync(claim.Key, claim.RecordBytes, bytes, lifetime, change))
        {
            return;
        }

        var existing = await store.TryAddAsync(claim.Client, claim.Key, bytes, lifetime);
        if (existing is null)
        {
            Log.RecordLost(logger);
        }
        else if (IdempotencyRecord.Deserialize(existing)?.ClaimId != record.ClaimId) // equal if the first attempt was done but not confirmed
        {
            Log.ClaimedTwice(logger);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4301, LogLevel.Warning, "The ledger did not record the outcome of a create. Repetitions with its Idempotency-Key get outcome_unknown; the create is not sent again.")]
        public static partial void NotRecorded(ILogger logger, Exception exception);

        [LoggerMessage(4302, LogLevel.Warning, "The ledger lost the record of an Idempotency-Key while its create ran. The gateway wrote the outcome again. Give ConnectionStrings:Ledger a Redis with maxmemory-policy noeviction and persistence (infra/redis.md).")]
        public static partial void RecordLost(ILogger logger);

        [LoggerMessage(4303, LogLevel.Error, "The ledger lost the record of an Idempotency-Key while its create ran, and another request claimed the key. The upstream may have received and billed two creates. Give ConnectionStrings:Ledger a Redis with maxmemory-policy noeviction and persistence (infra/redis.md).")]
        public static partial void ClaimedTwice(ILogger logger);

        [LoggerMessage(4304, LogLevel.Warning, "The record of an Idempotency-Key is invalid, or no key of Cache:SigningKey verifies it. The request gets outcome_unknown; the create is not sent.")]
        public static partial void Unreadable(ILogger logger);

        [LoggerMessage(4306, LogLevel.Warning, "The ledger did not confirm the removal of an Idempotency-Key whose create was not sent, or was refused. The gateway repeats the removal every second until it is confirmed; until then, repetitions of the create get create_in_progress, later outcome_unknown.")]
        public static partial void NotRemoved(ILogger logger);

        [LoggerMessage(4307, LogLevel.Information, "All repeated removals of an Idempotency-Key are confirmed, or their records have expired.")]
        public static partial void Removed(ILogger logger);
    }
}

/// <summary>The result of claiming an idempotency key.</summary>
/// <param name="Client">The client that sends the create.</param>
/// <param name="Key">The record's key in the store.</param>
/// <param name="Record">The record in the store.</param>
/// <param name="RecordBytes">The record's bytes in the store, to compare with.</param>
/// <param name="IsAcquired">Whether this request sends the create; if false, the record belongs to an earlier request.</param>
/// <param name="Attempt">The job of the create, if this request sends it.</param>
internal sealed record IdempotencyClaim(string Client, string Key, IdempotencyRecord Record, byte[] RecordBytes, bool IsAcquired, Job? Attempt = null);
