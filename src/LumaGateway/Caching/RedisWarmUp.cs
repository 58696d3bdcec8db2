using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>Connects to Redis before the first request; waits <see cref="Patience"/> at most.</summary>
internal sealed class RedisWarmUp(RedisTier shared, TimeProvider clock) : IHostedService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!shared.IsConfigured)
        {
            return;
        }

        try
        {
            await shared.WarmUpAsync().WaitAsync(Patience, clock, cancellationToken);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            // Redis is unavailable. The gateway starts anyway and uses Redis when it is available.
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
