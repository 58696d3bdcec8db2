using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LumaGateway.Telemetry;

/// <summary>
/// Registers traces, metrics and logs. They leave the process over OTLP where OpenTelemetry's own variables name an endpoint; metrics are also there
/// to be scraped where there is a management port. What nobody would get is not made.
/// </summary>
internal static class TelemetryServices
{
    public static IServiceCollection AddGatewayTelemetry(this IServiceCollection services, IConfiguration environment)
    {
        services.AddMetrics();
        services.AddOptionsWithValidateOnStart<OtlpSettings, OtlpRules>();

        // A reader of stdout that stalls must not stall requests. What is dropped is counted by the console itself, which writes the number to stderr.
        services.PostConfigure<ConsoleLoggerOptions>(static console => console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);

        var traces = new OtlpVariables(environment, "TRACES");
        var metrics = new OtlpVariables(environment, "METRICS");
        var logs = new OtlpVariables(environment, "LOGS");
        var isScraped = !string.IsNullOrEmpty(environment["Management:Port"]);

        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("luma-gateway", serviceVersion: Instrumentation.Version));
        if (traces.NameEndpoint)
        {
            // OpenTelemetry's own default adds traceparent and baggage to every call to the upstream, past the handler's propagator.
            Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
            telemetry.WithTracing(tracing => tracing.AddGatewaySources().AddOtlpExporter(traces.Apply));
        }

        if (metrics.NameEndpoint || isScraped)
        {
            telemetry.WithMetrics(metering => metering.AddGatewayMeters());
        }

        if (metrics.NameEndpoint)
        {
            telemetry.WithMetrics(metering => metering.AddOtlpExporter(metrics.Apply));
        }

        if (isScraped)
        {
            telemetry.WithMetrics(metering => metering.AddPrometheusExporter());
        }

        if (logs.NameEndpoint)
        {
            telemetry.WithLogging(
                logging => logging.AddOtlpExporter(logs.Apply),
                options => (options.IncludeScopes, options.IncludeFormattedMessage) = (true, true));
        }

        services.AddHostedService<SeriesStart>(); // after those who collect
        services.AddSeries<BuildMetrics>();

        return services;
    }

    /// <summary>Registers a slice's metrics, and has their series begin with the process.</summary>
    public static IServiceCollection AddSeries<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TMetrics>(this IServiceCollection services)
        where TMetrics : class, ISeries => services
            .AddSingleton<TMetrics>()
            .AddSingleton<ISeries>(provider => provider.GetRequiredService<TMetrics>());

    private static TracerProviderBuilder AddGatewaySources(this TracerProviderBuilder tracing) => tracing
        .AddSource(Instrumentation.Name, "Yarp.ReverseProxy")
        .AddAspNetCoreInstrumentation(options => options.Filter = static context => !IsLookedAfter(context.Request.Path))
        .AddHttpClientInstrumentation();

    /// <summary>Probes and scrapes come every few seconds for ever: they are no requests that anybody wants to find again.</summary>
    private static bool IsLookedAfter(PathString path) =>
        path.StartsWithSegments("/health") || path.StartsWithSegments("/metrics") || path.StartsWithSegments("/status");

    /// <summary>Of ASP.NET Core's meters only these: the rest (routing, the server's memory pool, …) would count each request again and again.</summary>
    private static MeterProviderBuilder AddGatewayMeters(this MeterProviderBuilder metering) => metering
        .AddMeter(Instrumentation.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Diagnostics")
        .AddHttpClientInstrumentation()
        .AddRuntimeInstrumentation()
        .AddView(static instrument => IsSmall(instrument) ? new MetricStreamConfiguration { CardinalityLimit = 100 } : null);

    /// <summary>
    /// Whether its attributes have a handful of values. Room for a metric's series is taken when it begins, 140 KB for the 2,000 of the default: only
    /// what is counted by client or by route may need them.
    /// </summary>
    private static bool IsSmall(Instrument instrument) =>
        instrument.Name is not ("luma_gateway.access.admitted" or "luma_gateway.access.refused") && !instrument.Name.StartsWith("http.", StringComparison.Ordinal);
}
