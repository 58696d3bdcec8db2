using LumaGateway.Caching;
using LumaGateway.Redis;
using StackExchange.Redis;

namespace LumaGateway.Hosting;

/// <summary>Connects to the cache's Redis, reads, and acquires and releases a lock.</summary>
internal sealed class RedisCheck(RedisTier redis, TimeProvider clock) : IConnectionCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public string Name => "redis";

    public async Task<ConnectionCheckResult> CheckAsync()
    {
        if (!redis.IsConfigured)
        {
            return new(ConnectionStatus.NotConfigured, "ConnectionStrings:Redis is not set: the cache is in memory only.");
        }

        try
        {
            await redis.WarmUpAsync().WaitAsync(Timeout, clock);
            return new(ConnectionStatus.Ok, "Responds at ConnectionStrings:Redis and can be read and written.");
        }
        catch (RedisServerException exception)
        {
            // The first word is the error code; the rest may contain anything.
            return new(ConnectionStatus.Failed, $"Responds at ConnectionStrings:Redis, but with the error {exception.Message.Split(' ')[0]}.");
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            return new(ConnectionStatus.Failed, "Cannot be used at ConnectionStrings:Redis: it does not respond, or the user, the password, the database or TLS is wrong.");
        }
    }
}
