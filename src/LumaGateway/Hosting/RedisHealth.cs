using LumaGateway.Redis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>Degraded while Redis is configured but unusable. Sends no command: it reads the state that other commands leave.</summary>
internal sealed class RedisHealth(RedisConnection redis, RedisState state) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(!redis.IsConfigured || (redis.IsConnected && state.IsUsable) ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded());
}
