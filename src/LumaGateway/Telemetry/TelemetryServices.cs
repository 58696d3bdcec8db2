using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LumaGateway.Telemetry;

/// <summary>Registers traces and metrics. They leave the process over OTLP where OpenTelemetry's own variables name an endpoint.</summary>
internal static class TelemetryServices
{
    private static readonly string[] Endpoints =
    [
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    ];

    public static IServiceCollection AddGatewayTelemetry(this IServiceCollection services, IConfiguration environment)
    {
        services.AddMetrics();
        if (!IsExported(environment))
        {
            return services; // spans that nobody would get are not made
        }

        // OpenTelemetry's own default adds traceparent and baggage to every call to the upstream, past the handler's propagator.
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("luma-gateway", serviceVersion: Instrumentation.Version))
            .WithTracing(tracing => tracing
                .AddSource(Instrumentation.Name, "Yarp.ReverseProxy")
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation())
            .WithMetrics(metrics => metrics
                .AddMeter(Instrumentation.Name)
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation())
            .UseOtlpExporter();

        return services;
    }

    private static bool IsExported(IConfiguration environment) => Endpoints.Any(name => !string.IsNullOrEmpty(environment[name]));
}
