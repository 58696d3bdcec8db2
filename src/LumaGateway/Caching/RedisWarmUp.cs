using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>Makes Redis ready for use before the first request comes, where it is there; waits for it no longer than <see cref="Patience"/>.</summary>
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
            // It is not there, or not fit for use. The gateway starts all the same, and finds out when it is.
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
