using LumaGateway.Redis;
using StackExchange.Redis;

namespace LumaGateway.Hosting;

/// <summary>Connects to the Redis that keeps idempotency records and reads whether it may evict them.</summary>
internal sealed class LedgerCheck(LedgerConnection ledger, TimeProvider clock) : IConnectionCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public string Name => "ledger";

    public async Task<(Verdict Verdict, string Says)> TryAsync()
    {
        if (!ledger.IsConfigured)
        {
            return (Verdict.NotConfigured, "ConnectionStrings:Ledger and ConnectionStrings:Redis are not set: Idempotency-Keys are kept in memory alone.");
        }

        try
        {
            return await ledger.ReadPolicyAsync().WaitAsync(Patience, clock) switch
            {
                LedgerConnection.SafePolicy => (Verdict.Good, "It answers and evicts nothing."),
                null when !ledger.Redis.IsConnected => Away(),
                null => (Verdict.Good, "It answers, but does not say whether it evicts: Idempotency-Keys need maxmemory-policy noeviction."),
                var policy => (Verdict.Good, $"WARNING: its maxmemory-policy is {policy}. It may forget an Idempotency-Key, and the create would be billed twice: set noeviction, or ConnectionStrings:Ledger."),
            };
        }
        catch (RedisServerException refusal)
        {
            // The first word is the kind of error; what follows may be anything.
            return Bad($"It answers, but refuses: {refusal.Message.Split(' ')[0]}.");
        }
        catch (Exception exception) when (exception is RedisException or RedisCommandException or TimeoutException)
        {
            return Away();
        }
    }

    private (Verdict Verdict, string Says) Away() => Bad("It cannot be used: nobody is there, or user, password or TLS are wrong.");

    /// <summary>A fault of the cache's Redis is told by its own check.</summary>
    private (Verdict Verdict, string Says) Bad(string says) => ledger.IsSeparate
        ? (Verdict.Bad, $"ConnectionStrings:Ledger: {says}")
        : (Verdict.NotConfigured, "ConnectionStrings:Ledger is not set: Idempotency-Keys are kept at ConnectionStrings:Redis, which does not answer.");
}
