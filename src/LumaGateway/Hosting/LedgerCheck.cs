using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Hosting;

/// <summary>Connects to the ledger's Redis, reads from it and its <c>maxmemory-policy</c>, and compares the number of its replicas with <c>Jobs:LedgerReplicas</c>.</summary>
internal sealed class LedgerCheck(LedgerConnection ledger, LedgerDatabase database, IOptions<JobsOptions> jobs, TimeProvider clock) : IConnectionCheck
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
            var found = await ledger.ReadPolicyAsync().WaitAsync(Timeout, clock);
            await database.ReadAsync(static redis => redis.StringGetAsync(LedgerConnection.Prefix)); // the policy is that of the server, also if it does not have the database
            return found switch
            {
                LedgerConnection.SafePolicy => await CheckReplicasAsync(),
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
        catch (Exception exception) when (RedisFailure.Is(exception) || exception is LedgerUnavailableException)
        {
            return Unusable();
        }
    }

    private async Task<ConnectionCheckResult> CheckReplicasAsync()
    {
        var (online, required) = (await database.CountReplicasAsync(), jobs.Value.LedgerReplicas);
        return online.CompareTo(required) switch
        {
            < 0 => new(ConnectionStatus.Failed, $"Has {online} replicas online, but Jobs:LedgerReplicas requires {required}: creates with an Idempotency-Key are refused."),
            > 0 => new(
                ConnectionStatus.Ok,
                $"WARNING: has {online} replicas online, but Jobs:LedgerReplicas is {required}. A failover while a replica joins lets a retried create be billed twice: set Jobs:LedgerReplicas to {online}."),
            _ => new(ConnectionStatus.Ok, "Responds; its maxmemory-policy is noeviction."),
        };
    }

    private ConnectionCheckResult Unusable() => Failed("Cannot be used: it does not respond, or the user, the password, the database or TLS is wrong.");

    /// <summary>If the ledger is the cache's Redis, <see cref="RedisCheck"/> reports the failure.</summary>
    private ConnectionCheckResult Failed(string message) => ledger.IsSeparate
        ? new(ConnectionStatus.Failed, $"ConnectionStrings:Ledger: {message}")
        : new(ConnectionStatus.NotConfigured, "ConnectionStrings:Ledger is not set: the ledger is in ConnectionStrings:Redis, which does not respond.");
}
