using LumaGateway.Client;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the client and its health check.</summary>
public static class LumaGatewayClientServices
{
    /// <summary>
    /// Adds <see cref="LumaGatewayClient"/> as a singleton on <c>IHttpClientFactory</c>. Invalid options prevent the start. The result configures its HTTP client.
    /// </summary>
    public static IHttpClientBuilder AddLumaGatewayClient(this IServiceCollection services, Action<LumaGatewayClientOptions> configure)
    {
        services.AddOptions<LumaGatewayClientOptions>()
            .Configure(configure)
            .Validate(LumaGatewayClientOptions.IsValidAddress, "LumaGatewayClientOptions.BaseAddress must be an absolute http or https address, without user, query and fragment.")
            .Validate(LumaGatewayClientOptions.IsValidKey, "LumaGatewayClientOptions.Key must be visible ASCII characters, or null.")
            .Validate(LumaGatewayClientOptions.AreValidTimes, "LumaGatewayClientOptions: AttemptTimeout and StreamIdleTimeout must be between 0 and 1 day, RetryFor and CreateRetryFor must not be negative.")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<GatewayTransport>();
        services.TryAddSingleton(provider => new LumaGatewayClient(provider.GetRequiredService<GatewayTransport>()));
        return services.AddHttpClient(GatewayTransport.ClientName)
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan) // the transport has a limit for each kind of call
            .UseSocketsHttpHandler((handler, _) =>
            {
                handler.UseCookies = false;
                handler.ConnectTimeout = TimeSpan.FromSeconds(10);
            });
    }

    /// <summary>
    /// Adds a health check: one request for <c>/health/ready</c>, at most 5 s, without retries. A gateway without its upstream or Redis is degraded.
    /// </summary>
    public static IHealthChecksBuilder AddLumaGateway(
        this IHealthChecksBuilder builder, string name = "luma-gateway", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null) =>
        builder.Add(new HealthCheckRegistration(name, services => new GatewayHealthCheck(services.GetRequiredService<GatewayTransport>()), failureStatus, tags));
}
