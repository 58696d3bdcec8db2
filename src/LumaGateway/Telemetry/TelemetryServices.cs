using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LumaGateway.Telemetry;

/// <summary>
/// Registers traces, metrics and logs. OpenTelemetry's variables configure the export over OTLP. With a management port Prometheus can scrape the metrics.
/// A signal without a destination is not collected.
/// </summary>
internal static class TelemetryServices
{
    /// <summary>The attributes of HttpClient's metrics without the host: see <see cref="HttpClientSpans"/>. The number of a CDN's hosts has no limit.</summary>
    private static readonly string[] HttpClientAttributes =
        ["error.type", "http.connection.state", "http.request.method", "http.response.status_code", "network.protocol.version", "url.scheme"];

    private const int MinSeries = 100;

    /// <summary>More than any metric has for one upstream account: one for each <c>UpstreamFault</c>.</summary>
    private const int SeriesPerAccount = 16;

    /// <summary>The limit of the SDK.</summary>
    private const int DefaultSeries = 2000;

    /// <summary>More than a metric has for one client: one for each reason of a refusal that a client can get.</summary>
    private const int SeriesPerClient = 4;

    public static IServiceCollection AddGatewayTelemetry(this IServiceCollection services, IConfiguration environment)
    {
        services.AddMetrics();
        services.Replace(ServiceDescriptor.Singleton(SecretHttpContextFactory.Create));
        services.AddOptionsWithValidateOnStart<OtlpSettings, OtlpRules>();

        // A blocked reader of stdout must not block requests. The console logger writes the number of dropped messages to stderr.
        services.Insert(0, ServiceDescriptor.Singleton<ConsoleFormatter, JsonLogFormatter>()); // the console logger uses the first formatter of a name
        services.PostConfigure<ConsoleLoggerOptions>(static console => console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);

        var traces = new OtlpVariables(environment, "TRACES");
        var metrics = new OtlpVariables(environment, "METRICS");
        var logs = new OtlpVariables(environment, "LOGS");
        var isScraped = !string.IsNullOrEmpty(environment["Management:Port"]);

        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("luma-gateway", serviceVersion: Instrumentation.Version));
        if (traces.HasEndpoint)
        {
            // OpenTelemetry's default propagator would add traceparent and baggage to every upstream request, in spite of the handler's own propagator.
            Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
            HttpClientSpans.OmitMessages();
            telemetry.WithTracing(tracing => tracing.AddGatewaySources().AddOtlpExporter(traces.Apply));
        }

        if (metrics.HasEndpoint || isScraped)
        {
            var accounts = environment.GetSection("Luma:Accounts").GetChildren().Count();
            var clients = environment.GetSection("Access:Clients").GetChildren().Count();
            telemetry.WithMetrics(metering => metering.AddGatewayMeters(accounts, clients));
        }

        if (metrics.HasEndpoint)
        {
            telemetry.WithMetrics(metering => metering.AddOtlpExporter(metrics.Apply));
        }

        if (isScraped)
        {
            telemetry.WithMetrics(metering => metering.AddPrometheusExporter());
        }

        if (logs.HasEndpoint)
        {
            telemetry.WithLogging(
                logging => logging.AddOtlpExporter(logs.Apply),
                options => (options.IncludeScopes, options.IncludeFormattedMessage) = (true, true));
        }

        services.AddHostedService<MetricsInitializer>(); // after the exporters
        services.AddGatewayMetrics<BuildMetrics>();

        return services;
    }

    /// <summary>Whether spans are exported.</summary>
    public static bool ExportsSpans(this IServiceProvider services) => services.GetService<TracerProvider>() is not null;

    /// <summary>Registers the metrics of a room, and initializes them at start-up.</summary>
    public static IServiceCollection AddGatewayMetrics<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TMetrics>(this IServiceCollection services)
        where TMetrics : class, IGatewayMetrics => services
            .AddSingleton<TMetrics>()
            .AddSingleton<IGatewayMetrics>(provider => provider.GetRequiredService<TMetrics>());

    private static TracerProviderBuilder AddGatewaySources(this TracerProviderBuilder tracing) => tracing
        .AddSource(Instrumentation.Name, "Yarp.ReverseProxy")
        .AddAspNetCoreInstrumentation(options => options.Filter = static context => !IsProbeOrScrape(context.Request.Path))
        .AddHttpClientInstrumentation(static http => http.EnrichWithHttpRequestMessage = static (span, _) => HttpClientSpans.RemoveHost(span));

    /// <summary>Probes and scrapes are frequent and not useful as traces.</summary>
    private static bool IsProbeOrScrape(PathString path) =>
        path.StartsWithSegments("/health") || path.StartsWithSegments("/metrics") || path.StartsWithSegments("/status");

    /// <summary>
    /// Only these meters of ASP.NET Core: others (routing, memory pool, …) add several series per request. AddHttpClientInstrumentation would also add
    /// System.Net.NameResolution, whose attribute dns.question.name is the host of an upstream, of its files or of Redis.
    /// </summary>
    private static MeterProviderBuilder AddGatewayMeters(this MeterProviderBuilder metering, int accounts, int clients) => metering
        .AddMeter(Instrumentation.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Diagnostics", "System.Net.Http")
        .AddRuntimeInstrumentation()
        .AddView("http.client.*", new MetricStreamConfiguration { TagKeys = HttpClientAttributes })
        .AddView(instrument => IsByClient(instrument) ? new MetricStreamConfiguration { CardinalityLimit = Math.Max(DefaultSeries, MinSeries + (clients * SeriesPerClient)) } : null)
        .AddView(instrument => HasFewSeries(instrument) ? new MetricStreamConfiguration { CardinalityLimit = Math.Max(MinSeries, accounts * SeriesPerAccount) } : null);

    /// <summary>
    /// Whether the attributes have few values. The SDK allocates memory for the maximum number of series of a metric: 140 KB for the default of 2,000, which only
    /// metrics by client or route need.
    /// </summary>
    private static bool HasFewSeries(Instrument instrument) => !IsByClient(instrument) && !instrument.Name.StartsWith("http.", StringComparison.Ordinal);

    private static bool IsByClient(Instrument instrument) => instrument.Name is "luma_gateway.access.admitted" or "luma_gateway.access.refused";
}
