using System.Text;
using LumaGateway.Jobs;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Jobs;
using LumaGateway.Tests.Redis;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>Claims of idempotency keys with <c>Jobs:LedgerReplicas</c>. Redis and its master are fakes. Needs nothing.</summary>
public sealed class LedgerReplicasTests
{
    private static readonly string[] Subject = ["client", "POST", "/luma/generations", "key"];

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private readonly FakeMaster _master = FakeMaster.Create();

    public LedgerReplicasTests() => _redis = new FakeRedis(_clock) { Masters = [_master.Server] };

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    public async Task A_claim_that_too_few_replicas_confirm_is_refused_and_undone(int online, int confirming)
    {
        (_master.OnlineReplicas, _master.ConfirmingReplicas) = (online, confirming);

        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync(required: 1));

        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        Assert.DoesNotContain(_redis.Keys, key => key.Contains(":create:", StringComparison.Ordinal));
        Assert.Equal(online, _master.Waits > 0 ? 1 : 0); // no WAIT for replicas that are not there
    }

    [Fact]
    public async Task A_claim_is_accepted_as_soon_as_the_replica_has_joined()
    {
        var ledger = Create(required: 1);
        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync(ledger));
        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        (_master.OnlineReplicas, _master.ConfirmingReplicas) = (1, 1);

        Assert.True((await ClaimAsync(ledger)).IsAcquired);
    }

    [Fact]
    public async Task A_claim_is_refused_while_two_servers_claim_to_be_the_master()
    {
        (_master.OnlineReplicas, _master.ConfirmingReplicas) = (1, 1);
        _redis.Masters = [_master.Server, FakeMaster.Create(1, 1).Server];

        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => ClaimAsync(required: 1));
        await Eventually.TrueAsync(() => _redis.Count("configure") > 0); // the roles are read again
    }

    [Fact]
    public async Task A_recorded_response_is_found_without_its_replica()
    {
        (_master.OnlineReplicas, _master.ConfirmingReplicas) = (1, 1);
        var ledger = Create(required: 1);
        var claim = await ClaimAsync(ledger);
        (_master.OnlineReplicas, _master.ConfirmingReplicas) = (0, 0);

        await ledger.RecordResponseAsync(claim, new RecordedResponse(201, new Dictionary<string, string>(), "made"u8.ToArray())).WithTimeout();
        var repeated = await ClaimAsync(ledger);

        Assert.Equal((false, "made"), (repeated.IsAcquired, Encoding.UTF8.GetString(repeated.Record.Response!.Body)));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    public async Task Without_the_setting_a_claim_is_accepted_whatever_the_replicas_confirm(int online, int confirming)
    {
        (_master.OnlineReplicas, _master.ConfirmingReplicas) = (online, confirming);

        Assert.True((await ClaimAsync(required: 0)).IsAcquired);
    }

    private Task<IdempotencyClaim> ClaimAsync(int required) => ClaimAsync(Create(required));

    private static Task<IdempotencyClaim> ClaimAsync(IdempotencyLedger ledger) => ledger.ClaimAsync("client", Subject, "one", Subject).WithTimeout();

    private IdempotencyLedger Create(int required) => new(
        new RedisIdempotencyStore(Ledgers.Database(_redis, _clock), Signers.None, Options.Create(new JobsOptions { LedgerReplicas = required })),
        new RedisKeyspace("account", "dialect", "1"),
        Options.Create(new PassthroughOptions()),
        _clock,
        NullLogger<IdempotencyLedger>.Instance);
}
