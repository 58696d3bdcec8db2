using LumaGateway.Caching;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Features.Health;

/// <summary>Degraded while Redis is configured but not used. Asks nobody: the cache knows.</summary>
internal sealed class RedisHealth(RedisConnection redis, CacheMetrics cache) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(!redis.IsConfigured || (redis.IsConnected && cache.IsRedisUsable) ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded());
}
