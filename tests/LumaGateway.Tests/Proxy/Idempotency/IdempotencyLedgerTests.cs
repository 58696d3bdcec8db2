using System.Security.Cryptography;
using System.Text;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Jobs;
using LumaGateway.Tests.Redis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>Claims of idempotency keys and recorded outcomes of creates. Redis is a fake. Needs nothing.</summary>
public sealed class IdempotencyLedgerTests
{
    private static readonly PassthroughOptions Settings = new() { CreateTimeout = TimeSpan.FromMinutes(2), IdempotencyLifetime = TimeSpan.FromHours(24) };

    /// <summary>The time after its timeout during which a create still counts as running.</summary>
    private static readonly TimeSpan ClockSkewAllowance = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RepeatInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private static readonly string[] Subject = ["client", "POST", "/luma/generations", "key"];
    private static readonly string[] PreviousSubject = ["client", "POST", "/luma/Generations", "key"];

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private readonly FakeLogCollector _logs = new();
    private readonly IdempotencyLedger _ledger;

    public IdempotencyLedgerTests()
    {
        _redis = new FakeRedis(_clock);
        _ledger = LedgerWith(Signers.None);
    }

    [Fact]
    public async Task The_first_claim_acquires_the_key_and_later_claims_get_its_record()
    {
        var first = await ClaimAsync("one");
        var second = await ClaimAsync("two");

        Assert.Equal((true, false), (first.IsAcquired, second.IsAcquired));
        Assert.Equal("one", second.Record.Fingerprint);
        Assert.Equal(first.Record.ClaimId, second.Record.ClaimId);
        Assert.Equal(first.RecordBytes, second.RecordBytes);
        Assert.True(_ledger.IsRunning(second.Record));
    }

    [Theory]
    [InlineData("client", "POST", "/luma/generations", "other key")]
    [InlineData("other", "POST", "/luma/generations", "key")]
    [InlineData("client", "POST", "/luma/generationskey", "")]
    public async Task Another_subject_is_another_create(params string[] subject)
    {
        await ClaimAsync("one");

        Assert.True((await _ledger.ClaimAsync("client", subject, "one", PreviousSubject).WithTimeout()).IsAcquired);
    }

    [Fact]
    public async Task The_stored_key_contains_the_account_and_no_data_of_the_client()
    {
        var claim = await ClaimAsync("one");

        Assert.Matches(@"^luma-gateway:\{ledger\}:create:2:account:dialect:[0-9a-f]{64}$", claim.Key);
        Assert.Equal([claim.Key], _redis.Keys);
    }

    [Fact]
    public async Task A_record_of_the_previous_release_counts_and_is_left_as_it_is()
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', PreviousSubject))));
        var record = """{"Owner":"o","Fingerprint":"one","Until":"2026-01-02T03:04:05+00:00","IsUnknown":false,"Answer":{"Status":201,"Headers":{},"Body":"e30="}}"""u8.ToArray();
        var store = new MemoryIdempotencyStore(Ledgers.InMemory(_clock), _clock);
        await store.TryAddAsync("client", $"luma-gateway:create:account:{digest}", record, TimeSpan.FromHours(1));
        var ledger = new IdempotencyLedger(store, new RedisKeyspace("account", "dialect", "9"), Options.Create(Settings), _clock, NullLogger<IdempotencyLedger>.Instance);

        var claim = await ledger.ClaimAsync("client", Subject, "one", PreviousSubject).WithTimeout();
        var other = await ledger.ClaimAsync("client", Subject, "one", Subject).WithTimeout();

        Assert.False(claim.IsAcquired);
        Assert.Equal(201, claim.Record.Response?.Status);
        Assert.Equal(record, claim.RecordBytes);
        Assert.True(other.IsAcquired);
    }

    [Fact]
    public async Task Every_claim_has_its_own_id()
    {
        var first = await ClaimAsync("one");
        await _ledger.ReleaseAsync(first).WithTimeout();

        var second = await ClaimAsync("one");

        Assert.NotEqual(first.Record.ClaimId, second.Record.ClaimId);
        Assert.NotEqual(first.RecordBytes, second.RecordBytes);
        Assert.Matches("^[0-9a-f]{32}$", first.Record.ClaimId); // no dashes, so that the record is short
    }

    [Fact]
    public async Task A_create_is_running_until_its_timeout_and_the_clock_skew_allowance_have_passed()
    {
        var record = (await ClaimAsync("one")).Record;

        _clock.Advance(Settings.CreateTimeout + ClockSkewAllowance - Tick);
        Assert.True(_ledger.IsRunning(record));
        _clock.Advance(Tick);
        Assert.False(_ledger.IsRunning(record));
    }

    [Fact]
    public async Task A_recorded_response_is_found_until_its_lifetime_ends()
    {
        var claim = await ClaimAsync("one");
        _clock.Advance(TimeSpan.FromMinutes(1));

        await _ledger.RecordResponseAsync(claim, Response("body")).WithTimeout();

        _clock.Advance(Settings.IdempotencyLifetime - Tick);
        var record = (await ClaimAsync("one")).Record;
        Assert.Equal(("body", 201, "application/json"), (Encoding.UTF8.GetString(record.Response!.Body), record.Response.Status, record.Response.Headers["Content-Type"]));
        Assert.False(record.IsOutcomeUnknown);
        _clock.Advance(Tick);
        Assert.True((await ClaimAsync("one")).IsAcquired);
    }

    [Fact]
    public async Task A_create_with_a_recorded_response_is_not_running()
    {
        await _ledger.RecordResponseAsync(await ClaimAsync("one"), Response("body")).WithTimeout();

        Assert.False(_ledger.IsRunning((await ClaimAsync("one")).Record));
    }

    [Fact]
    public async Task A_create_with_an_unknown_outcome_is_not_running_and_keeps_its_key()
    {
        await _ledger.RecordUnknownAsync(await ClaimAsync("one")).WithTimeout();

        var second = await ClaimAsync("one");
        Assert.False(second.IsAcquired);
        Assert.True(second.Record.IsOutcomeUnknown);
        Assert.Null(second.Record.Response);
        Assert.False(_ledger.IsRunning(second.Record));
    }

    [Fact]
    public async Task A_released_key_can_be_claimed_again()
    {
        await _ledger.ReleaseAsync(await ClaimAsync("one")).WithTimeout();

        Assert.True((await ClaimAsync("two")).IsAcquired);
    }

    [Fact]
    public async Task A_lost_claim_does_not_change_a_later_claim()
    {
        var lost = await ClaimAsync("one");
        _redis.Lose(lost.Key);
        var current = await ClaimAsync("two");

        await _ledger.RecordResponseAsync(lost, Response("body")).WithTimeout();
        await _ledger.ReleaseAsync(lost).WithTimeout();

        Assert.Equal(current.Record.ClaimId, (await ClaimAsync("two")).Record.ClaimId);
    }

    /// <summary>Replicas of earlier versions read and write these names.</summary>
    [Fact]
    public void A_record_is_stored_with_fixed_JSON_names()
    {
        var record = new IdempotencyRecord("id", "digest", DateTimeOffset.UnixEpoch, IsOutcomeUnknown: true, new RecordedResponse(201, new Dictionary<string, string>(), [1]));

        Assert.Equal(
            """{"Owner":"id","Fingerprint":"digest","Until":"1970-01-01T00:00:00+00:00","IsUnknown":true,"Answer":{"Status":201,"Headers":{},"Body":"AQ=="}}""",
            Encoding.UTF8.GetString(record.Serialize()).Replace("\\u002B", "+", StringComparison.Ordinal));
    }

    [Fact]
    public void A_stored_record_is_read()
    {
        var record = IdempotencyRecord.Deserialize(
            """{"Owner":"id","Fingerprint":"digest","Until":"1970-01-01T00:00:00+00:00","IsUnknown":true,"Answer":{"Status":201,"Headers":{},"Body":"AQ=="}}"""u8.ToArray())!;

        Assert.Equal(("id", "digest", DateTimeOffset.UnixEpoch, true), (record.ClaimId, record.Fingerprint, record.Deadline, record.IsOutcomeUnknown));
        Assert.Equal((201, (byte)1), (record.Response!.Status, Assert.Single(record.Response.Body)));
    }

    [Theory]
    [InlineData("not a record")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task An_invalid_record_counts_as_an_unknown_outcome(string invalid)
    {
        var first = await ClaimAsync("one");
        _redis.Overwrite(first.Key, Encoding.UTF8.GetBytes(invalid));

        var second = await ClaimAsync("two");

        Assert.False(second.IsAcquired);
        Assert.True(second.Record.IsOutcomeUnknown);
        Assert.Equal("two", second.Record.Fingerprint); // so that the problem is outcome_unknown and not idempotency_key_reused
        Assert.False(_ledger.IsRunning(second.Record));
    }

    [Theory]
    [InlineData("not signed")]
    [InlineData("signed with another key")]
    [InlineData("another create's")]
    [InlineData("changed by a bit")]
    public async Task With_a_signing_key_a_record_with_an_invalid_signature_counts_as_an_unknown_outcome(string invalidity)
    {
        var ledger = LedgerWith(Signers.Of(Signers.Key));
        var first = await ledger.ClaimAsync("client", Subject, "one", PreviousSubject).WithTimeout();
        await ledger.RecordResponseAsync(first, Response("body")).WithTimeout();
        byte[] Sign(string key, string name) => Signers.Of(key).Sign(SignedKind.Record, name, (first.Record with { Response = Response("forged") }).Serialize());
        var valid = _redis.Value(first.Key)!;
        _redis.Overwrite(first.Key, invalidity switch
        {
            "not signed" => (first.Record with { Response = Response("forged") }).Serialize(),
            "signed with another key" => Sign(Signers.NewKey, first.Key),
            "another create's" => Sign(Signers.Key, first.Key[..^1] + "!"),
            _ => [.. valid[..^1], (byte)(valid[^1] ^ 1)],
        });

        var second = await ledger.ClaimAsync("client", Subject, "one", PreviousSubject).WithTimeout();

        Assert.False(second.IsAcquired);
        Assert.True(second.Record.IsOutcomeUnknown);
        Assert.Null(second.Record.Response);
        Assert.Equal((LogLevel.Warning, 4304), Assert.Single(_logs.GetSnapshot().Select(log => (log.Level, log.Id.Id))));
    }

    [Theory]
    [InlineData($"{Signers.Key},{Signers.NewKey}")]
    [InlineData($"{Signers.NewKey},{Signers.Key}")]
    public async Task A_response_is_recorded_and_found_if_the_signing_key_is_rotated_while_the_create_runs(string rotated)
    {
        var claim = await LedgerWith(Signers.Of(Signers.Key)).ClaimAsync("client", Subject, "one", PreviousSubject).WithTimeout();
        var ledger = LedgerWith(Signers.Of(rotated));

        await ledger.RecordResponseAsync(claim, Response("body")).WithTimeout();

        var found = await ledger.ClaimAsync("client", Subject, "one", PreviousSubject).WithTimeout();
        Assert.Equal((false, "body"), (found.IsAcquired, Encoding.UTF8.GetString(found.Record.Response!.Body)));
        await LedgerWith(Signers.Of(rotated)).ReleaseAsync(found).WithTimeout();
        Assert.Empty(_logs.GetSnapshot());
    }

    [Fact]
    public async Task A_claim_throws_if_the_store_does_not_confirm()
    {
        using var failing = _redis.Fail();

        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync("one"));
    }

    [Fact]
    public async Task A_claim_that_was_added_without_confirmation_is_removed()
    {
        using (_redis.Fail("add", replyOnly: true))
        {
            await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync("one"));
        }

        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        Assert.True((await ClaimAsync("two")).IsAcquired);
    }

    [Fact]
    public async Task A_claim_that_was_added_without_confirmation_is_removed_after_a_failover()
    {
        var failover = _redis.Fail("remove");
        using (_redis.Fail("add", replyOnly: true))
        {
            await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync("one"));
        }

        await _clock.PassAsync(RepeatInterval); // the first repetition fails too
        await _clock.WaitedForAsync(RepeatInterval);
        failover.Dispose();
        _clock.Advance(RepeatInterval);

        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        Assert.True((await ClaimAsync("two")).IsAcquired);
    }

    [Fact]
    public async Task The_claim_of_another_request_is_not_removed()
    {
        var first = await ClaimAsync("one");
        using (_redis.Fail("add", replyOnly: true))
        {
            await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync("two"));
        }

        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        Assert.Equal(first.Record.ClaimId, (await ClaimAsync("two")).Record.ClaimId);
    }

    /// <summary>Its removal would let a repetition send the create again.</summary>
    [Fact]
    public async Task An_outcome_that_was_recorded_without_confirmation_stays()
    {
        var claim = await ClaimAsync("one");
        var failing = _redis.Fail("replace", replyOnly: true);
        using (_redis.Fail("add", replyOnly: true))
        {
            var recording = _ledger.RecordResponseAsync(claim, Response("body"));
            await _clock.WaitedForAsync(RetryDelay);
            failing.Dispose();
            _clock.Advance(RetryDelay);
            await recording.WithTimeout();
        }

        Assert.NotNull((await ClaimAsync("one")).Record.Response);
        Assert.Equal(0, _redis.Count("remove"));
    }

    [Fact]
    public async Task The_second_attempt_records_the_outcome()
    {
        var claim = await ClaimAsync("one");
        var failing = _redis.Fail("replace");
        var recording = _ledger.RecordResponseAsync(claim, Response("body"));
        await _clock.WaitedForAsync(RetryDelay);
        failing.Dispose();

        _clock.Advance(RetryDelay);
        await recording.WithTimeout();

        Assert.NotNull((await ClaimAsync("one")).Record.Response);
        Assert.Empty(_logs.GetSnapshot());
    }

    [Fact]
    public async Task A_warning_is_logged_if_the_outcome_cannot_be_recorded()
    {
        var claim = await ClaimAsync("one");
        using (_redis.Fail("replace"))
        {
            await _clock.PassUntilAsync(_ledger.RecordResponseAsync(claim, Response("body")), RetryDelay);
        }

        var warning = Assert.Single(_logs.GetSnapshot());
        Assert.Equal((LogLevel.Warning, 4301), (warning.Level, warning.Id.Id));
        Assert.IsType<IdempotencyStoreUnavailableException>(warning.Exception);
        Assert.Null((await ClaimAsync("one")).Record.Response);
    }

    [Fact]
    public async Task The_second_attempt_releases_the_key()
    {
        var claim = await ClaimAsync("one");
        var failing = _redis.Fail("remove");
        var releasing = _ledger.ReleaseAsync(claim);
        await _clock.WaitedForAsync(RetryDelay);
        failing.Dispose();

        _clock.Advance(RetryDelay);
        await releasing.WithTimeout();

        Assert.True((await ClaimAsync("two")).IsAcquired);
    }

    [Fact]
    public async Task A_key_that_was_released_without_confirmation_is_released_after_a_failover()
    {
        var claim = await ClaimAsync("one");
        var failover = _redis.Fail("remove");
        await _clock.PassUntilAsync(_ledger.ReleaseAsync(claim), RetryDelay);
        await _clock.WaitedForAsync(RepeatInterval);
        failover.Dispose();

        _clock.Advance(RepeatInterval);

        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        Assert.True((await ClaimAsync("two")).IsAcquired);
        await Eventually.TrueAsync(() => _logs.Count == 2);
        Assert.Equal([(LogLevel.Warning, 4306), (LogLevel.Information, 4307)], _logs.GetSnapshot().Select(log => (log.Level, log.Id.Id)));
    }

    [Fact]
    public async Task A_removal_is_not_repeated_after_the_record_has_expired()
    {
        var claim = await ClaimAsync("one");
        using var failing = _redis.Fail("remove");
        await _clock.PassUntilAsync(_ledger.ReleaseAsync(claim), RetryDelay);
        await _clock.WaitedForAsync(RepeatInterval);

        _clock.Advance(claim.Record.Deadline + Settings.IdempotencyLifetime - _clock.Now);

        await Eventually.TrueAsync(() => _logs.GetSnapshot().Any(log => log.Id.Id == 4307));
        Assert.False(_clock.HasWait(RepeatInterval));
    }

    private static RecordedResponse Response(string body) =>
        new(201, new Dictionary<string, string> { ["Content-Type"] = "application/json" }, Encoding.UTF8.GetBytes(body));

    private Task<IdempotencyClaim> ClaimAsync(string fingerprint) => _ledger.ClaimAsync("client", Subject, fingerprint, PreviousSubject).WithTimeout();

    private IdempotencyLedger LedgerWith(RedisSigner signer)
    {
        return new IdempotencyLedger(
            new RedisIdempotencyStore(Ledgers.Database(_redis, _clock), signer, Ledgers.Options),
            new RedisKeyspace("account", "dialect", "1"),
            Options.Create(Settings),
            _clock,
            new FakeLogger<IdempotencyLedger>(_logs));
    }
}
