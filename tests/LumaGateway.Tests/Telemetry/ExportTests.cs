using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Export of telemetry to a receiver.</summary>
public sealed class ExportTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public ExportTests() => _gateway
        .With("OTEL_BSP_SCHEDULE_DELAY", "50")
        .With("OTEL_BLRP_SCHEDULE_DELAY", "50")
        .With("OTEL_METRIC_EXPORT_INTERVAL", "100")
        .With(services => services.AddOpenTelemetry().WithLogging()); // the fixture removes all logging providers

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData(true, "grpc")]
    [InlineData(false, "http/protobuf")]
    public async Task Traces_metrics_and_logs_are_exported_with_each_protocol(bool isGrpc, string protocol)
    {
        await using var sink = await OtlpSink.StartAsync(isGrpc);
        _gateway.With("OTEL_EXPORTER_OTLP_ENDPOINT", sink.Address).With("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        _gateway.Upstream.AlwaysJson("{}", System.Net.HttpStatusCode.Unauthorized);
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/exported");

        await response.ProblemAsync(502, "upstream_token_refused");
        await Poll.UntilAsync(() => sink.Has("traces", "GET /generations/{id}", "cache", "fetch", "attempt", "luma-gateway", "exported"));
        await Poll.UntilAsync(() => sink.Has("metrics", "luma_gateway.cache.results", "luma_gateway.build.info", "http.server.request.duration"));
        await Poll.UntilAsync(() => sink.Has("logs", "The upstream rejects the gateway's account"));
        Assert.False(sink.Has("traces", Gateway.Token) || sink.Has("logs", Gateway.Token) || sink.Has("metrics", Gateway.Token));
        Assert.False(sink.Has("traces", Gateway.Key) || sink.Has("logs", Gateway.Key) || sink.Has("metrics", Gateway.Key));
        Assert.False(sink.Has("metrics", "exported"));
    }

    [Fact]
    public async Task A_signal_without_an_endpoint_is_not_exported()
    {
        await using var sink = await OtlpSink.StartAsync(grpc: false);
        _gateway
            .With("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", $"{sink.Address}/v1/traces")
            .With("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");
        await Poll.UntilAsync(() => sink.Has("traces", "fetch"));

        Assert.Equal(["traces"], sink.Signals);
        Assert.Null(_gateway.Services.GetService<MeterProvider>());
    }

    [Fact]
    public async Task The_metrics_of_HttpClient_have_no_host()
    {
        await using var upstream = await Loopback.StartAsync(context => context.Response.WriteAsync(Samples.Failed("g1")));

        var attributes = (await ExportedAfterReadAsync(upstream.Address)).Where(one => one.Metric.StartsWith("http.client.", StringComparison.Ordinal)).Select(one => one.Key).ToList();

        Assert.Contains("http.response.status_code", attributes);
        Assert.DoesNotContain("server.address", attributes);
        Assert.DoesNotContain("server.port", attributes);
        Assert.DoesNotContain("network.peer.address", attributes);
    }

    [Fact]
    public async Task No_metric_has_the_host_of_an_upstream_whose_name_is_resolved()
    {
        await using var upstream = await Loopback.StartAsync(context => context.Response.WriteAsync(Samples.Failed("g1")));

        var exported = await ExportedAfterReadAsync(new UriBuilder(upstream.Address) { Host = "localhost" }.Uri.ToString());

        var remote = exported.Where(one => !one.Metric.StartsWith("kestrel.", StringComparison.Ordinal)); // its addresses are those of listeners in this process
        Assert.All(remote, one => Assert.False(one.Value is "localhost" or "127.0.0.1" || one.Metric.StartsWith("dns.", StringComparison.Ordinal), one.ToString()));
    }

    [Fact]
    public async Task Probes_and_scrapes_are_not_traced()
    {
        await using var sink = await OtlpSink.StartAsync(grpc: false);
        _gateway.With("OTEL_EXPORTER_OTLP_ENDPOINT", sink.Address).With("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var probe = await caller.SendGetAsync("/health/ready");
        using var response = await caller.SendGetAsync("/generations/g1");
        await Poll.UntilAsync(() => sink.Has("traces", "fetch", "GET /generations/{id}"));

        Assert.False(sink.Has("traces", "/health/ready"));
    }

    /// <summary>Returns the attributes of all exported metrics after a read from this upstream.</summary>
    private async Task<List<(string Metric, string Key, string? Value)>> ExportedAfterReadAsync(string upstream)
    {
        var metrics = new List<Metric>();
        _gateway.WithUpstream(upstream)
            .With("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:9").With("OTEL_METRIC_EXPORT_INTERVAL", "60000")
            .With(services => services.ConfigureOpenTelemetryMeterProvider(metering => metering.AddInMemoryExporter(metrics)));
        using var caller = _gateway.CreateCaller();
        using var response = await caller.SendGetAsync("/generations/g1");
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        await Poll.UntilAsync(() =>
        {
            metrics.Clear();
            _gateway.Services.GetRequiredService<MeterProvider>().ForceFlush();
            return metrics.Any(metric => metric.Name is "http.client.request.duration");
        });

        List<(string, string, string?)> attributes = [];
        foreach (var metric in metrics)
        {
            foreach (var point in metric.GetMetricPoints())
            {
                foreach (var attribute in point.Tags)
                {
                    attributes.Add((metric.Name, attribute.Key, attribute.Value?.ToString()));
                }
            }
        }

        return attributes;
    }
}
