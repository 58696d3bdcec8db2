using System.Collections.Concurrent;
using System.Diagnostics;
using LumaGateway.Tests.Support;
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
    private RequestDelegate _respond = static context => context.Response.WriteAsync(Samples.Completed);
    private Loopback _upstream = null!;
    private Gateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await Loopback.StartAsync(context =>
        {
            _received.Enqueue(new HeaderDictionary(context.Request.Headers.ToDictionary()));
            return _respond(context);
        });
        _gateway = new Gateway()
            .WithUpstream(_upstream.Address)
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
            .With(services => services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(new SimpleActivityExportProcessor(new QueueExporter(_spans)))));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_miss_has_nested_spans_for_request_cache_fetch_attempt_and_upstream_request()
    {
        using var caller = CreateCaller();

        using var response = await caller.SendGetAsync(Path);
        await Poll.UntilAsync(() => Spans().Count == 5);

        var request = Span("GET /generations/{id}");
        var cache = Span("cache");
        var fetch = Span("fetch");
        var attempt = Span("attempt");
        var upstream = Assert.Single(Spans(), span => span.Kind is ActivityKind.Client);
        Assert.Equal("/generations/{id}", request.GetTagItem("http.route"));
        Assert.Equal(Samples.CompletedId, request.GetTagItem("luma_gateway.generation.id"));
        Assert.Equal("tests", request.GetTagItem("luma_gateway.client.name"));
        Assert.Equal(("miss", "none"), (cache.GetTagItem("luma_gateway.cache.status"), cache.GetTagItem("luma_gateway.cache.tier")));
        Assert.Equal("relay", attempt.GetTagItem("luma_gateway.upstream.dialect"));
        Assert.Equal("GET", upstream.GetTagItem("http.request.method"));
        Assert.Equal(200, upstream.GetTagItem("http.response.status_code"));
        Assert.Equal([request.SpanId, cache.SpanId, fetch.SpanId, attempt.SpanId], [cache.ParentSpanId, fetch.ParentSpanId, attempt.ParentSpanId, upstream.ParentSpanId]);
    }

    [Theory]
    [InlineData(Path, false)]
    [InlineData(Path, true)]
    [InlineData($"/luma{Path}", false)]
    [InlineData($"/luma{Path}", true)]
    public async Task No_span_contains_the_host_of_the_upstream(string path, bool isDown)
    {
        var address = new UriBuilder(_upstream.Address) { Host = "localhost" }.Uri;
        _gateway.WithUpstream(address.ToString()).With("Luma:Retries", "0");
        if (isDown)
        {
            await _upstream.DisposeAsync();
        }

        using var caller = CreateCaller();
        using var response = await caller.SendGetAsync(path);
        await Poll.UntilAsync(() => Spans().Any(span => span.Kind is ActivityKind.Client) && Spans().Any(span => span.Kind is ActivityKind.Server));

        var texts = Spans().Select(span => $"{span.DisplayName} {span.StatusDescription} {string.Join(' ', span.TagObjects)} {string.Join(' ', span.Events.SelectMany(one => one.Tags))}");
        Assert.All(texts, text => Assert.False(
            text.Contains($":{address.Port}", StringComparison.Ordinal) || text.Contains($"server.port, {address.Port}", StringComparison.Ordinal) || text.Contains("127.0.0.1", StringComparison.Ordinal), text));
        Assert.Null(Spans().First(span => span.Kind is ActivityKind.Client).GetTagItem("server.address"));
    }

    [Fact]
    public async Task A_hit_has_only_a_request_span_and_a_cache_span()
    {
        using var caller = CreateCaller();
        using var miss = await caller.SendGetAsync(Path);
        await Poll.UntilAsync(() => Spans().Count == 5);

        using var hit = await caller.SendGetAsync(Path);
        await Poll.UntilAsync(() => Spans().Count == 7);

        var cache = Spans().Last(span => span.DisplayName == "cache");
        Assert.Equal(("hit", "memory"), (cache.GetTagItem("luma_gateway.cache.status"), cache.GetTagItem("luma_gateway.cache.tier")));
    }

    [Fact]
    public async Task A_request_that_joins_a_fetch_links_to_its_span()
    {
        var release = new TaskCompletionSource();
        _respond = async context =>
        {
            await release.Task;
            await context.Response.WriteAsync(Samples.Completed);
        };
        using var caller = CreateCaller();

        var first = caller.SendGetAsync(Path);
        await Poll.UntilAsync(() => !_received.IsEmpty);
        var second = caller.SendGetAsync(Path);
        await _gateway.PendingRequests.WaitForAsync(2);
        release.SetResult();
        await Task.WhenAll(first, second);
        await Poll.UntilAsync(() => Spans().Count == 7);

        var fetch = Span("fetch");
        var joined = Assert.Single(Spans(), span => span.DisplayName == "cache" && (string?)span.GetTagItem("luma_gateway.cache.status") == "collapsed");
        Assert.Equal(fetch.SpanId, Assert.Single(joined.Links).Context.SpanId);
        Assert.Empty(Assert.Single(Spans(), span => span.DisplayName == "cache" && span != joined).Links);
    }

    [Fact]
    public async Task Every_attempt_has_a_span_with_its_error()
    {
        _respond = context =>
        {
            context.Response.StatusCode = _received.Count == 1 ? 500 : 200;
            return context.Response.WriteAsync(Samples.Completed);
        };
        using var caller = CreateCaller();

        var pending = caller.SendGetAsync(Path);
        await _gateway.Clock.TimerWithinAsync(TimeSpan.FromSeconds(1)); // the delay before the second attempt
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        using var response = await pending;
        await Poll.UntilAsync(() => Spans().Count == 7);

        var attempts = Spans().Where(span => span.DisplayName == "attempt").OrderBy(span => span.StartTimeUtc).ToList();
        Assert.Equal([(ActivityStatusCode.Error, "failed", null), (ActivityStatusCode.Unset, null, 1)], attempts.Select(span =>
            (span.Status, (string?)span.GetTagItem("error.type"), (int?)span.GetTagItem("http.request.resend_count"))));
    }

    [Fact]
    public async Task A_fault_without_a_stale_entry_marks_all_spans_as_failed()
    {
        _gateway.With("Luma:Retries", "0");
        _respond = context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        using var caller = CreateCaller();

        using var response = await caller.SendGetAsync(Path);
        await Poll.UntilAsync(() => Spans().Count == 5);

        Assert.Equal(502, Span("GET /generations/{id}").GetTagItem("http.response.status_code"));
        Assert.All(["GET /generations/{id}", "cache", "attempt"], name => Assert.Equal(ActivityStatusCode.Error, Span(name).Status));
    }

    [Fact]
    public async Task Redis_operations_have_spans_without_keys()
    {
        _gateway.With("ConnectionStrings:Redis", "127.0.0.1:1,connectTimeout=100").With("Luma:Name", "account");
        using var caller = CreateCaller();

        using var response = await caller.SendGetAsync(Path);
        await Poll.UntilAsync(() => Spans().Any(span => span.DisplayName == "redis lock") && Spans().Any(span => span.DisplayName == "redis read"));

        var read = Spans().First(span => span.DisplayName == "redis read");
        Assert.Equal((ActivityKind.Client, "redis", "read"), (read.Kind, read.GetTagItem("db.system.name"), read.GetTagItem("db.operation.name")));
        Assert.Equal(Span("fetch").SpanId, read.ParentSpanId);
        Assert.Equal(ActivityStatusCode.Error, read.Status);
        Assert.DoesNotContain(Spans().Where(span => span.DisplayName.StartsWith("redis", StringComparison.Ordinal)).SelectMany(span => span.TagObjects), tag =>
            tag.Value!.ToString()!.Contains(Samples.CompletedId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Requests_through_YARP_are_traced()
    {
        using var caller = CreateCaller();

        using var response = await caller.SendGetAsync($"/luma{Path}");
        await Poll.UntilAsync(() => Spans().Any(span => span.Source.Name == "Yarp.ReverseProxy") && Spans().Any(span => span.Kind is ActivityKind.Server));

        Assert.Contains(Spans(), span => span.Kind is ActivityKind.Client);
    }

    [Fact]
    public async Task The_callers_trace_is_continued_and_in_problems_but_not_sent_upstream()
    {
        using var caller = CreateCaller();

        using var response = await caller.SendGetAsync(Path);
        using var refused = await caller.SendGetAsync("/generations/a:b");

        var problem = await refused.ProblemAsync(400, "invalid_id");
        Assert.Equal(_trace.ToHexString(), problem.GetProperty("trace_id").GetString());
        var received = Assert.Single(_received);
        Assert.False(received.ContainsKey("traceparent"));
        Assert.False(received.ContainsKey("baggage"));
    }

    [Fact]
    public async Task PropagateTrace_sends_the_trace_upstream_without_baggage()
    {
        _gateway.With("Luma:PropagateTrace", "true");
        using var caller = CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        var received = Assert.Single(_received);
        Assert.StartsWith($"00-{_trace}-", received["traceparent"].ToString(), StringComparison.Ordinal);
        Assert.False(received.ContainsKey("baggage"));
    }

    /// <summary>Activity sources are shared in the process: spans of other tests arrive here, with other trace ids.</summary>
    private List<Activity> Spans() => [.. _spans.Where(span => span.TraceId == _trace)];

    private Activity Span(string name) => Assert.Single(Spans(), span => span.DisplayName == name);

    private HttpClient CreateCaller()
    {
        var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("traceparent", $"00-{_trace}-b7ad6b7169203331-01");
        caller.DefaultRequestHeaders.Add("baggage", "secret=1");
        return caller;
    }

    private sealed class QueueExporter(ConcurrentQueue<Activity> spans) : BaseExporter<Activity>
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
