using LumaGateway.Upstreams;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>
/// Degraded while the circuit breaker of an account is open, or the upstream refuses an account. With several accounts, the data has the state of each by its name. Sends no
/// request.
/// </summary>
internal sealed class UpstreamHealth(UpstreamAccounts accounts) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var states = accounts.All.ToDictionary(static account => account.Name, static account => (object)StatusOf(account.State));
        var status = states.ContainsValue(HealthStatus.Degraded) ? HealthStatus.Degraded : HealthStatus.Healthy;
        return Task.FromResult(new HealthCheckResult(status, data: accounts.Only is null ? states : null));
    }

    private static HealthStatus StatusOf(UpstreamState state) => state.IsBreakerOpen || state.IsAccountRefused ? HealthStatus.Degraded : HealthStatus.Healthy;
}
