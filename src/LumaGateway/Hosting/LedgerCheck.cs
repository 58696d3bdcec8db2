using LumaGateway.Redis;
using StackExchange.Redis;

namespace LumaGateway.Hosting;

/// <summary>Connects to the ledger's Redis and reads its <c>maxmemory-policy</c>.</summary>
internal sealed class LedgerCheck(LedgerConnection ledger, TimeProvider clock) : IConnectionCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public string Name => "ledger";

    public async Task<ConnectionCheckResult> CheckAsync()
    {
        if (!ledger.IsConfigured)
        {
            return new(ConnectionStatus.NotConfigured, "ConnectionStrings:Ledger and ConnectionStrings:Redis are not set: the ledger is in memory only.");
        }

        try
        {
            return await ledger.ReadPolicyAsync().WaitAsync(Timeout, clock) switch
            {
                LedgerConnection.SafePolicy => new(ConnectionStatus.Ok, "Responds; its maxmemory-policy is noeviction."),
                null when !ledger.Redis.IsConnected => Unusable(),
                null => new(ConnectionStatus.Ok, "Responds, but its maxmemory-policy cannot be read: the ledger requires noeviction."),
                var policy => new(
                    ConnectionStatus.Ok,
                    $"WARNING: its maxmemory-policy is {policy}. An evicted idempotency record lets a retried create be billed twice: set noeviction, or set ConnectionStrings:Ledger."),
            };
        }
        catch (RedisServerException exception)
        {
            // The first word is the error code; the rest may contain anything.
            return Failed($"Responds, but with the error {exception.Message.Split(' ')[0]}.");
        }
        catch (Exception exception) when (exception is RedisException or RedisCommandException or TimeoutException)
        {
            return Unusable();
        }
    }

    private ConnectionCheckResult Unusable() => Failed("Cannot be used: it does not respond, or the user, the password or TLS is wrong.");

    /// <summary>If the ledger is the cache's Redis, <see cref="RedisCheck"/> reports the failure.</summary>
    private ConnectionCheckResult Failed(string message) => ledger.IsSeparate
        ? new(ConnectionStatus.Failed, $"ConnectionStrings:Ledger: {message}")
        : new(ConnectionStatus.NotConfigured, "ConnectionStrings:Ledger is not set: the ledger is in ConnectionStrings:Redis, which does not respond.");
}
