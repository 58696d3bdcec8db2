using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Knows which account an id belongs to: from memory, else from the ledger. With one account it looks up nothing. An unavailable ledger costs a search, and fails no request. Thread-safe.
/// </summary>
internal sealed partial class AccountDirectory(
    UpstreamAccounts accounts, IJobLedger ledger, IOptions<RedisResilienceOptions> redis, TimeProvider clock, ILogger<AccountDirectory> logger)
{
    /// <summary>About 200 bytes an id.</summary>
    private const int RecentCount = 50_000;

    /// <summary>How long a read waits for the ledger: longer than for the cache, because an unknown account costs requests to all accounts.</summary>
    private readonly TimeSpan _ledgerTimeout = 3 * redis.Value.RedisTimeout;

    private readonly RecentIds<UpstreamAccount> _recent = new(RecentCount);

    /// <summary>The id's account if there is only one account, or if it is in memory; otherwise null.</summary>
    public UpstreamAccount? FindInMemory(GenerationId id) => accounts.Only ?? (_recent.TryGet(id, out var account) ? account : null);

    /// <summary>The id's account; null if it is not known, or is no longer in the settings.</summary>
    public async ValueTask<UpstreamAccount?> FindAsync(GenerationId id)
    {
        if (FindInMemory(id) is { } recent)
        {
            return recent;
        }

        if (await FindJobAsync(id) is not { } job || accounts.Find(job.Account) is not { } recorded)
        {
            return null;
        }

        _recent.Set(id, recorded);
        return recorded;
    }

    /// <summary>Remembers the account of an id in this process.</summary>
    public void Remember(GenerationId id, UpstreamAccount account)
    {
        if (accounts.Only is null)
        {
            _recent.Set(id, account);
        }
    }

    /// <summary>Remembers the account of an id that a search found, for all replicas. Does not wait for the ledger.</summary>
    public void RecordFound(GenerationId id, UpstreamAccount account)
    {
        Remember(id, account);
        _ = RecordAsync(id, account);
    }

    private async Task<Job?> FindJobAsync(GenerationId id)
    {
        using var timeout = new CancellationTokenSource(_ledgerTimeout, clock);
        try
        {
            return await ledger.FindAsync(id, timeout.Token);
        }
        catch (Exception exception) when (exception is LedgerUnavailableException or OperationCanceledException)
        {
            return null;
        }
    }

    private async Task RecordAsync(GenerationId id, UpstreamAccount account)
    {
        try
        {
            await ledger.RememberAsync(id, account.Name, account.Dialect.Name);
        }
        catch (LedgerUnavailableException)
        {
            // The next process that needs the account searches for it again.
        }
#pragma warning disable CA1031 // no caller observes this task
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotRecorded(logger, exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3041, LogLevel.Error, "Recording the account of an id in the ledger failed; other replicas search for it again.")]
        public static partial void NotRecorded(ILogger logger, Exception exception);
    }
}
