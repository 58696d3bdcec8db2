using System.Collections.Concurrent;
using System.Diagnostics;
using LumaGateway.Tests.Hosting;
using Microsoft.AspNetCore.Http;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace LumaGateway.Tests.Telemetry;

public sealed class TraceTests : IAsyncLifetime
{
    private const string Path = $"/generations/{Samples.CompletedId}";

    private readonly ActivityTraceId _trace = ActivityTraceId.CreateRandom();
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ConcurrentQueue<IHeaderDictionary> _received = new();
    private LoopbackUpstream _upstream = null!;
    private Gateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await LoopbackUpstream.StartAsync(context =>
        {
            _received.Enqueue(new HeaderDictionary(context.Request.Headers.ToDictionary()));
            return context.Response.WriteAsync(Samples.Completed);
        });
        _gateway = new Gateway()
            .To(_upstream.Address)
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
            .With(services => services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(new SimpleActivityExportProcessor(new Queued(_spans)))));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_miss_is_a_request_a_cache_span_under_it_and_the_upstream_call_under_that()
    {
        using var caller = CreateCaller();

        using var response = await caller.AskAsync(Path);
        await Pump.EventuallyAsync(() => Spans().Count == 3);

        var request = Assert.Single(Spans(), span => span.Kind is ActivityKind.Server);
        var cache = Assert.Single(Spans(), span => span.Source.Name == "LumaGateway");
        var upstream = Assert.Single(Spans(), span => span.Kind is ActivityKind.Client);
        Assert.Equal("GET /generations/{id}", request.DisplayName);
        Assert.Equal("/generations/{id}", request.GetTagItem("http.route"));
        Assert.Equal(Samples.CompletedId, request.GetTagItem("luma_gateway.generation.id"));
        Assert.Equal(("cache", request.SpanId), (cache.DisplayName, cache.ParentSpanId));
        Assert.Equal(("miss", "none"), (cache.GetTagItem("luma_gateway.cache.status"), cache.GetTagItem("luma_gateway.cache.level")));
        Assert.Equal(cache.SpanId, upstream.ParentSpanId);
        Assert.Equal("GET", upstream.GetTagItem("http.request.method"));
        Assert.Equal(200, upstream.GetTagItem("http.response.status_code"));
    }

    [Fact]
    public async Task A_hit_is_a_request_and_a_cache_span_and_no_more()
    {
        using var caller = CreateCaller();
        using var miss = await caller.AskAsync(Path);
        await Pump.EventuallyAsync(() => Spans().Count == 3);

        using var hit = await caller.AskAsync(Path);
        await Pump.EventuallyAsync(() => Spans().Count == 5);

        var cache = Spans().Last(span => span.Source.Name == "LumaGateway");
        Assert.Equal(("hit", "memory"), (cache.GetTagItem("luma_gateway.cache.status"), cache.GetTagItem("luma_gateway.cache.level")));
    }

    [Fact]
    public async Task The_callers_trace_goes_on_here_and_is_named_in_problems_but_does_not_go_upstream()
    {
        using var caller = CreateCaller();

        using var response = await caller.AskAsync(Path);
        using var refused = await caller.AskAsync("/generations/a.b");

        var problem = await refused.ProblemAsync(400, "invalid_id");
        Assert.Equal(_trace.ToHexString(), problem.GetProperty("trace_id").GetString());
        var received = Assert.Single(_received);
        Assert.False(received.ContainsKey("traceparent"));
        Assert.False(received.ContainsKey("baggage"));
    }

    [Fact]
    public async Task The_trace_goes_upstream_without_baggage_where_that_is_set()
    {
        _gateway.With("Luma:PropagateTrace", "true");
        using var caller = CreateCaller();

        using var response = await caller.AskAsync(Path);

        var received = Assert.Single(_received);
        Assert.StartsWith($"00-{_trace}-", received["traceparent"].ToString(), StringComparison.Ordinal);
        Assert.False(received.ContainsKey("baggage"));
    }

    /// <summary>Sources are the process's: other tests' spans come here too, but under traces of their own.</summary>
    private List<Activity> Spans() => [.. _spans.Where(span => span.TraceId == _trace)];

    private HttpClient CreateCaller()
    {
        var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("traceparent", $"00-{_trace}-b7ad6b7169203331-01");
        caller.DefaultRequestHeaders.Add("baggage", "secret=1");
        return caller;
    }

    private sealed class Queued(ConcurrentQueue<Activity> spans) : BaseExporter<Activity>
    {
        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var span in batch)
            {
                spans.Enqueue(span);
            }

            return ExportResult.Success;
        }
    }
}
