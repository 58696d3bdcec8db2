using LumaGateway.Redis;

namespace LumaGateway.Caching;

/// <summary>Connects to Redis before the first request; waits <see cref="Timeout"/> at most.</summary>
internal sealed class RedisWarmUp(RedisTier redis, TimeProvider clock) : IHostedService
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!redis.IsConfigured)
        {
            return;
        }

        try
        {
            await redis.WarmUpAsync().WaitAsync(Timeout, clock, cancellationToken);
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            // Redis is unavailable. The gateway starts anyway and uses Redis when it is available.
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
