using System.Text;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Redis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>The record of a create under its idempotency key: who has the key, and how the create ended. Redis is a fake. Needs nothing.</summary>
public sealed class IdempotencyLedgerTests
{
    private static readonly PassthroughOptions Settings = new() { CreateTimeout = TimeSpan.FromMinutes(2), IdempotencyLifetime = TimeSpan.FromHours(24) };

    /// <summary>How long after its time-out a create is still taken for running.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private static readonly string[] Subject = ["client", "POST", "/luma/generations", "key"];

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
    public async Task Who_claims_a_key_first_gets_it_and_the_others_see_whose_it_is()
    {
        var first = await ClaimAsync("one");
        var second = await ClaimAsync("two");

        Assert.Equal((true, false), (first.IsOurs, second.IsOurs));
        Assert.Equal("one", second.Record.Fingerprint);
        Assert.Equal(first.Record.Owner, second.Record.Owner);
        Assert.Equal(first.Written, second.Written);
        Assert.True(_ledger.IsRunning(second.Record));
    }

    [Theory]
    [InlineData("client", "POST", "/luma/generations", "other key")]
    [InlineData("other", "POST", "/luma/generations", "key")]
    [InlineData("client", "POST", "/luma/generationskey", "")]
    public async Task Another_subject_is_another_create(params string[] subject)
    {
        await ClaimAsync("one");

        Assert.True((await _ledger.ClaimAsync("client", subject, "one").Soon()).IsOurs);
    }

    [Fact]
    public async Task The_name_in_the_store_holds_the_account_and_nothing_that_a_client_sent()
    {
        var claim = await ClaimAsync("one");

        Assert.Matches("^luma-gateway:create:2:account:dialect:[0-9a-f]{64}$", claim.Key);
        Assert.Equal([claim.Key], _redis.Keys);
    }

    [Fact]
    public async Task Every_claim_has_its_own_owner()
    {
        var first = await ClaimAsync("one");
        await _ledger.FreeAsync(first).Soon();

        var second = await ClaimAsync("one");

        Assert.NotEqual(first.Record.Owner, second.Record.Owner);
        Assert.NotEqual(first.Written, second.Written);
        Assert.Matches("^[0-9a-f]{32}$", first.Record.Owner); // no dashes: as short as it gets
    }

    [Fact]
    public async Task A_create_is_running_until_its_time_and_the_slack_are_over()
    {
        var record = (await ClaimAsync("one")).Record;

        _clock.Advance(Settings.CreateTimeout + Slack - Tick);
        Assert.True(_ledger.IsRunning(record));
        _clock.Advance(Tick);
        Assert.False(_ledger.IsRunning(record));
    }

    [Fact]
    public async Task A_settled_create_is_given_again_for_as_long_as_the_key_is_remembered()
    {
        var claim = await ClaimAsync("one");
        _clock.Advance(TimeSpan.FromMinutes(1));

        await _ledger.SettleAsync(claim, Answer("body")).Soon();

        _clock.Advance(Settings.IdempotencyLifetime - Tick);
        var record = (await ClaimAsync("one")).Record;
        Assert.Equal(("body", 201, "application/json"), (Encoding.UTF8.GetString(record.Answer!.Body), record.Answer.Status, record.Answer.Headers["Content-Type"]));
        Assert.False(record.IsUnknown);
        _clock.Advance(Tick);
        Assert.True((await ClaimAsync("one")).IsOurs);
    }

    [Fact]
    public async Task A_settled_create_does_not_run_any_more()
    {
        await _ledger.SettleAsync(await ClaimAsync("one"), Answer("body")).Soon();

        Assert.False(_ledger.IsRunning((await ClaimAsync("one")).Record));
    }

    [Fact]
    public async Task A_create_of_unknown_outcome_does_not_run_any_more_and_keeps_its_key()
    {
        await _ledger.MarkUnknownAsync(await ClaimAsync("one")).Soon();

        var second = await ClaimAsync("one");
        Assert.False(second.IsOurs);
        Assert.True(second.Record.IsUnknown);
        Assert.Null(second.Record.Answer);
        Assert.False(_ledger.IsRunning(second.Record));
    }

    [Fact]
    public async Task A_refused_create_frees_its_key()
    {
        await _ledger.FreeAsync(await ClaimAsync("one")).Soon();

        Assert.True((await ClaimAsync("two")).IsOurs);
    }

    [Fact]
    public async Task A_claim_that_was_lost_changes_nothing_of_the_one_that_came_after_it()
    {
        var lost = await ClaimAsync("one");
        _redis.Lose(lost.Key);
        var current = await ClaimAsync("two");

        await _ledger.SettleAsync(lost, Answer("body")).Soon();
        await _ledger.FreeAsync(lost).Soon();

        Assert.Equal(current.Record.Owner, (await ClaimAsync("two")).Record.Owner);
    }

    [Theory]
    [InlineData("not a record")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task A_record_that_cannot_be_read_stands_for_a_create_of_unknown_outcome(string spoilt)
    {
        var first = await ClaimAsync("one");
        _redis.Overwrite(first.Key, Encoding.UTF8.GetBytes(spoilt));

        var second = await ClaimAsync("two");

        Assert.False(second.IsOurs);
        Assert.True(second.Record.IsUnknown);
        Assert.Equal("two", second.Record.Fingerprint); // so that it is refused as unknown, not as another request
        Assert.False(_ledger.IsRunning(second.Record));
    }

    [Theory]
    [InlineData("not signed")]
    [InlineData("signed with another key")]
    [InlineData("another create's")]
    [InlineData("changed by a bit")]
    public async Task With_a_key_a_record_that_does_not_verify_stands_for_a_create_of_unknown_outcome(string how)
    {
        var ledger = LedgerWith(Signers.Of(Signers.Key));
        var first = await ledger.ClaimAsync("client", Subject, "one").Soon();
        await ledger.SettleAsync(first, Answer("body")).Soon();
        byte[] Sign(string key, string name) => Signers.Of(key).Sign(SignedKind.Record, name, (first.Record with { Answer = Answer("forged") }).Write());
        var right = _redis.Value(first.Key)!;
        _redis.Overwrite(first.Key, how switch
        {
            "not signed" => (first.Record with { Answer = Answer("forged") }).Write(),
            "signed with another key" => Sign(Signers.NewKey, first.Key),
            "another create's" => Sign(Signers.Key, first.Key[..^1] + "!"),
            _ => [.. right[..^1], (byte)(right[^1] ^ 1)],
        });

        var second = await ledger.ClaimAsync("client", Subject, "one").Soon();

        Assert.False(second.IsOurs);
        Assert.True(second.Record.IsUnknown);
        Assert.Null(second.Record.Answer);
        Assert.Equal((LogLevel.Warning, 4304), Assert.Single(_logs.GetSnapshot().Select(log => (log.Level, log.Id.Id))));
    }

    [Theory]
    [InlineData($"{Signers.Key},{Signers.NewKey}")]
    [InlineData($"{Signers.NewKey},{Signers.Key}")]
    public async Task A_create_that_runs_while_the_key_is_rotated_is_settled_and_found(string rotated)
    {
        var claim = await LedgerWith(Signers.Of(Signers.Key)).ClaimAsync("client", Subject, "one").Soon();
        var ledger = LedgerWith(Signers.Of(rotated));

        await ledger.SettleAsync(claim, Answer("body")).Soon();

        var found = await ledger.ClaimAsync("client", Subject, "one").Soon();
        Assert.Equal((false, "body"), (found.IsOurs, Encoding.UTF8.GetString(found.Record.Answer!.Body)));
        await LedgerWith(Signers.Of(rotated)).FreeAsync(found).Soon();
        Assert.Empty(_logs.GetSnapshot());
    }

    [Fact]
    public async Task A_claim_that_the_store_does_not_confirm_is_no_claim()
    {
        using var failing = _redis.Fail();

        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync("one"));
    }

    [Fact]
    public async Task How_a_create_ended_is_recorded_at_the_second_try()
    {
        var claim = await ClaimAsync("one");
        var failing = _redis.Fail("replace");
        var settling = _ledger.SettleAsync(claim, Answer("body"));
        await _clock.WaitedForAsync(RetryPause);
        failing.Dispose();

        _clock.Advance(RetryPause);
        await settling.Soon();

        Assert.NotNull((await ClaimAsync("one")).Record.Answer);
        Assert.Empty(_logs.GetSnapshot());
    }

    [Fact]
    public async Task How_a_create_ended_is_logged_where_it_cannot_be_recorded_and_the_key_is_unknown_later()
    {
        var claim = await ClaimAsync("one");
        using (_redis.Fail("replace"))
        {
            await _clock.PassUntilAsync(_ledger.SettleAsync(claim, Answer("body")), RetryPause);
        }

        var warning = Assert.Single(_logs.GetSnapshot());
        Assert.Equal((LogLevel.Warning, 4301), (warning.Level, warning.Id.Id));
        Assert.IsType<IdempotencyStoreUnavailableException>(warning.Exception);
        Assert.Null((await ClaimAsync("one")).Record.Answer);
    }

    [Fact]
    public async Task A_key_that_cannot_be_freed_is_tried_again_once()
    {
        var claim = await ClaimAsync("one");
        var failing = _redis.Fail("remove");
        var freeing = _ledger.FreeAsync(claim);
        await _clock.WaitedForAsync(RetryPause);
        failing.Dispose();

        _clock.Advance(RetryPause);
        await freeing.Soon();

        Assert.True((await ClaimAsync("two")).IsOurs);
    }

    private static RecordedResponse Answer(string body) =>
        new(201, new Dictionary<string, string> { ["Content-Type"] = "application/json" }, Encoding.UTF8.GetBytes(body));

    private Task<IdempotencyClaim> ClaimAsync(string fingerprint) => _ledger.ClaimAsync("client", Subject, fingerprint).Soon();

    private IdempotencyLedger LedgerWith(RedisSigner signer)
    {
        var connection = new RedisConnection(Options.Create(new RedisOptions { Redis = "redis.test" }), NullLogger<RedisConnection>.Instance)
        {
            Connect = _ => Task.FromResult(_redis.Connect()),
        };
        return new IdempotencyLedger(
            new RedisIdempotencyStore(connection, signer, _clock),
            new RedisKeyspace("account", "dialect", "1"),
            Options.Create(Settings),
            _clock,
            new FakeLogger<IdempotencyLedger>(_logs));
    }
}
