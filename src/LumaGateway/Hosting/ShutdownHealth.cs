using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>Unready from the first signal to stop on: the one thing that takes a replica out of a load balancer.</summary>
internal sealed class ShutdownHealth(Shutdown shutdown) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(shutdown.IsBegun ? HealthCheckResult.Unhealthy() : HealthCheckResult.Healthy());
}
