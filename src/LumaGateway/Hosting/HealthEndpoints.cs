using LumaGateway.Telemetry;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>Maps the probes. A dead upstream or Redis degrades the gateway but never makes it unready: cached answers go on. A replica that was told to stop is unready.</summary>
internal static class HealthEndpoints
{
    private static readonly HttpMethodMetadata Probing = new([HttpMethods.Get, HttpMethods.Head]);

    public static IServiceCollection AddGatewayHealth(this IServiceCollection services)
    {
        services.AddHealthChecks()
            .AddCheck<UpstreamHealth>("upstream")
            .AddCheck<RedisHealth>("redis")
            .AddCheck<ShutdownHealth>("shutdown");

        return services;
    }

    public static void MapGatewayHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync })
            .WithMetadata(Probing, new OnEveryPort())
            .DisableHttpMetrics(); // probes are no traffic
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync })
            .WithMetadata(Probing, new OnEveryPort())
            .DisableHttpMetrics();
    }

    /// <summary>Names and states only: descriptions and exceptions could hold an address.</summary>
    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.Headers.CacheControl = "no-store";
        var body = new HealthBody(
            NameOf(report.Status),
            Instrumentation.Version,
            report.Entries.ToDictionary(entry => entry.Key, entry => NameOf(entry.Value.Status)));
        return context.Response.WriteAsJsonAsync(body, HealthJson.Default.HealthBody, cancellationToken: context.RequestAborted);
    }

    private static string NameOf(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };
}
