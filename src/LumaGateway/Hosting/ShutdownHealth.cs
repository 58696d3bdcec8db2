using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>Unhealthy during shutdown, so that load balancers remove the replica. No other health check is ever unhealthy.</summary>
internal sealed class ShutdownHealth(Shutdown shutdown) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(shutdown.HasStarted ? HealthCheckResult.Unhealthy() : HealthCheckResult.Healthy());
}
