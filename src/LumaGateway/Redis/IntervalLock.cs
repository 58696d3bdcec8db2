using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>
/// A lock that expires by itself after an interval, so that of all replicas one does a periodic task in each interval. Without a usable Redis every replica
/// does it. Never throws. Thread-safe.
/// </summary>
internal sealed class IntervalLock(RedisConnection connection, RedisResilience resilience, RedisKeyspace keyspace)
{
    /// <summary>True if no replica has started the task within the interval, or Redis is unavailable.</summary>
    public async Task<bool> TryStartAsync(string name, TimeSpan interval) =>
        !connection.IsConfigured || (await resilience.WriteAsync(() => SetAsync(name, interval), true)).Value;

    private async Task<bool> SetAsync(string name, TimeSpan interval)
    {
        var redis = await connection.GetAsync();
        return await redis.GetDatabase().StringSetAsync(keyspace.Prefix + name, RedisValue.EmptyString, interval, When.NotExists);
    }
}
