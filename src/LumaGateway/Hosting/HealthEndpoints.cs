using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>
/// Maps the health checks. Without the upstream or Redis the gateway is degraded but ready, because it still serves cached entries. During shutdown it is
/// not ready.
/// </summary>
internal static class HealthEndpoints
{
    private static readonly HttpMethodMetadata Methods = new([HttpMethods.Get, HttpMethods.Head]);

    public static IServiceCollection AddGatewayHealth(this IServiceCollection services)
    {
        services.AddHealthChecks()
            .AddCheck<UpstreamHealth>("upstream")
            .AddCheck<RedisHealth>("redis")
            .AddCheck<LedgerHealth>("ledger")
            .AddCheck<ShutdownHealth>("shutdown");

        return services;
    }

    public static void MapGatewayHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync })
            .WithMetadata(Methods, new AnyPortMetadata())
            .DisableHttpMetrics(); // health checks are not traffic of callers
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync })
            .WithMetadata(Methods, new AnyPortMetadata())
            .DisableHttpMetrics();
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(HealthBody.Of(report), HealthJson.Default.HealthBody, cancellationToken: context.RequestAborted);
    }
}
