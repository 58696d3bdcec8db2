namespace LumaGateway.Redis;

/// <summary>Warns if the Redis of the ledger may evict records: once, and again when its policy changes to another such one.</summary>
internal sealed partial class EvictionPolicyCheck(LedgerConnection ledger, TimeProvider clock, ILogger<EvictionPolicyCheck> logger) : IHostedService
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(10);

    private volatile bool _isStopped;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (ledger.IsConfigured)
        {
            _ = CheckAsync(); // not awaited: it handles all exceptions of Redis
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopped = true;
        return Task.CompletedTask;
    }

    private async Task CheckAsync()
    {
        var reported = LedgerConnection.SafePolicy;
        while (!_isStopped)
        {
            var policy = await ReadAsync();
            ledger.LastPolicy = policy ?? ledger.LastPolicy;
            if (policy is not null && policy != reported)
            {
                reported = policy;
                if (policy != LedgerConnection.SafePolicy)
                {
                    Log.MayEvict(logger, policy);
                }
            }

            await Task.Delay(policy is null ? RetryInterval : CheckInterval, clock, CancellationToken.None);
        }
    }

    /// <summary>Returns null if Redis is unavailable or the user has no permission.</summary>
    private async Task<string?> ReadAsync()
    {
        try
        {
            return await ledger.ReadPolicyAsync();
        }
#pragma warning disable CA1031 // the check only warns: no exception may stop the gateway
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotRead(logger, exception.GetType().Name);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2032, LogLevel.Debug, "The maxmemory-policy of the ledger's Redis could not be read ({Failure}); the gateway reads it again after five seconds.")]
        public static partial void NotRead(ILogger logger, string failure);

        [LoggerMessage(2031, LogLevel.Warning, "The ledger's Redis has maxmemory-policy {Policy}: it may evict an Idempotency-Key, and the create would be sent and billed twice, or a job, and its owner would lose it. Set noeviction there, or name another Redis in ConnectionStrings:Ledger (infra/redis.md).")]
        public static partial void MayEvict(ILogger logger, string policy);
    }
}
