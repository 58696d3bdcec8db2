using LumaGateway.Hosting;
using LumaGateway.Jobs;
using LumaGateway.Tests.Jobs;
using LumaGateway.Tests.Redis;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Hosting;

/// <summary>What <c>--check</c> says of the replicas of the ledger's Redis. Redis is a fake. Needs nothing.</summary>
public sealed class LedgerCheckTests
{
    [Theory]
    [InlineData(0, 0, true, "Responds; its maxmemory-policy is noeviction.")]
    [InlineData(1, 1, true, "Responds; its maxmemory-policy is noeviction.")]
    [InlineData(0, 1, false, "Has 0 replicas online, but Jobs:LedgerReplicas requires 1: creates with an Idempotency-Key are refused.")]
    [InlineData(2, 0, true, "set Jobs:LedgerReplicas to 2.")]
    public async Task The_number_of_replicas_is_compared_with_the_setting(int online, int required, bool isOk, string message)
    {
        var redis = new FakeRedis(TimeProvider.System) { Masters = [FakeMaster.Create(online, online).Server] };
        await using var ledger = Ledgers.Connection(() => Task.FromResult(redis.Connect()));
        var check = new LedgerCheck(ledger, Ledgers.Database(ledger, TimeProvider.System), Options.Create(new JobsOptions { LedgerReplicas = required }), TimeProvider.System);

        var (status, text) = await check.CheckAsync();

        Assert.Equal(isOk ? ConnectionStatus.Ok : ConnectionStatus.Failed, status);
        Assert.EndsWith(message, text, StringComparison.Ordinal);
    }
}
