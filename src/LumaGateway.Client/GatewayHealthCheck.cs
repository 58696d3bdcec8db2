using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Client;

/// <summary>Asks the gateway whether it is ready.</summary>
internal sealed class GatewayHealthCheck(GatewayTransport transport) : IHealthCheck
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var status = await transport.SendOnceAsync(() => new(HttpMethod.Get, "health/ready"), ReadStatusAsync, Limit, cancellationToken);
            return status is "healthy" ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded($"The gateway is {status}.");
        }
        catch (LumaGatewayException exception)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message);
        }
    }

    private static async Task<string> ReadStatusAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var body = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
        return body.RootElement.GetProperty("status").GetString() ?? throw new JsonException();
    }
}
