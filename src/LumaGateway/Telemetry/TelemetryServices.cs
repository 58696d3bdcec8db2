using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LumaGateway.Telemetry;

/// <summary>
/// Registers traces and metrics. They leave the process over OTLP where OpenTelemetry's own variables name an endpoint; metrics are also there
/// to be scraped where there is a management port.
/// </summary>
internal static class TelemetryServices
{
    private static readonly string[] Endpoints =
    [
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    ];

    public static IServiceCollection AddGatewayTelemetry(this IServiceCollection services, IConfiguration environment)
    {
        services.AddMetrics();
        var isExported = IsExported(environment);
        var isScraped = !string.IsNullOrEmpty(environment["Management:Port"]);
        if (!isExported && !isScraped)
        {
            return services; // what nobody would get is not made
        }

        // OpenTelemetry's own default adds traceparent and baggage to every call to the upstream, past the handler's propagator.
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("luma-gateway", serviceVersion: Instrumentation.Version))
            .WithMetrics(metrics => metrics
                .AddMeter(Instrumentation.Name)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation());
        if (isScraped)
        {
            telemetry.WithMetrics(metrics => metrics.AddPrometheusExporter());
        }

        if (isExported)
        {
            telemetry
                .WithTracing(tracing => tracing
                    .AddSource(Instrumentation.Name, "Yarp.ReverseProxy")
                    .AddAspNetCoreInstrumentation()
                    .AddHttpClientInstrumentation())
                .UseOtlpExporter();
        }

        return services;
    }

    private static bool IsExported(IConfiguration environment) => Endpoints.Any(name => !string.IsNullOrEmpty(environment[name]));
}
