using LumaGateway.Upstreams;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>Degraded while the upstream's circuit breaker is open. Sends no request.</summary>
internal sealed class UpstreamHealth(UpstreamState upstream) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(upstream.IsBreakerOpen ? HealthCheckResult.Degraded() : HealthCheckResult.Healthy());
}
