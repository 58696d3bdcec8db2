using LumaGateway.Redis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>
/// Degraded while the ledger's Redis is configured but not connected: creates with an <c>Idempotency-Key</c> are refused then. Healthy until the first attempt to connect
/// has ended. Sends no command.
/// </summary>
internal sealed class LedgerHealth(LedgerConnection ledger) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(!ledger.IsConfigured || ledger.Redis.IsConnected || ledger.Redis.IsStarting ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded());
}
