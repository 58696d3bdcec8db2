using LumaGateway.Upstreams;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>Degraded while the circuit breaker of an account is open. Sends no request.</summary>
internal sealed class UpstreamHealth(UpstreamAccounts accounts) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(accounts.All.Any(static account => account.State.IsBreakerOpen) ? HealthCheckResult.Degraded() : HealthCheckResult.Healthy());
}
