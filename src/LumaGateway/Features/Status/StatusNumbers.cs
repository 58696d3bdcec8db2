using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Features.Status;

/// <summary>
/// Listens to the instruments that <c>/metrics</c> shows, from <see cref="Listen"/> on, and sums them up for people. Thread-safe; recording
/// allocates nothing.
/// </summary>
internal sealed class StatusNumbers(IMeterFactory meters, TimeProvider clock) : IDisposable
{
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();
    private readonly Lock _observing = new();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Method, string Route), RouteNumbers> _routes = new();
    private readonly Tallies _counts = new();
    private readonly Tallies _answers = new();
    private readonly Tallies _upstreamFaults = new();
    private readonly Tallies _admitted = new();
    private readonly Tallies _refused = new();
    private readonly LastSeconds _requests = new(clock);
    private readonly LastSeconds _failures = new(clock);
    private readonly LastSeconds _given = new(clock);
    private readonly LastSeconds _free = new(clock);
    private readonly LastSeconds _asked = new(clock);
    private readonly Latencies _latencies = new(clock);
    private readonly Latencies _upstreamLatencies = new(clock);
    private readonly LastFaults _lastFaults = new(clock);
    private readonly ConcurrentDictionary<string, double> _gauges = new(StringComparer.Ordinal);

    private delegate void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    public void Listen()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Only this gateway's: a process may hold several, as tests do, and other clients than the upstream's, such as an exporter's.
            if (ReferenceEquals(instrument.Meter.Scope, meters) && TakerOf(instrument) is { } take)
            {
                listener.EnableMeasurementEvents(instrument, take);
            }
        };
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, take) => ((Take)take!)(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, take) => ((Take)take!)(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, take) => ((Take)take!)(value, tags));
        _listener.Start();
    }

    public StatusBody Read()
    {
        lock (_observing)
        {
            _listener.RecordObservableInstruments();
        }

        return new StatusBody(
            Instrumentation.Version,
            Environment.Version.ToString(),
            Environment.MachineName,
            _startedAt,
            clock.GetUtcNow(),
            new TrafficBody( // but for the one that asks
                Math.Max(0, _counts.Of("active") - 1), _counts.Of("requests"), _counts.Of("failures"), _requests.Read(), _failures.Read(), _latencies.Read()),
            new CacheBody(_answers.Read(), _counts.Of("luma_gateway.cache.faults"), _counts.Of("luma_gateway.cache.saved"), _given.Read(), _free.Read()),
            ReadUpstream(),
            ReadRedis(),
            _counts.Of("luma_gateway.waiting.waiters"),
            _counts.Of("luma_gateway.waiting.watched"),
            [.. _routes.Select(one => one.Value.Read(one.Key.Method, one.Key.Route)).OrderByDescending(one => one.Latency?.P95).Take(8)],
            ReadClients(),
            _lastFaults.Read());
    }

    public void Dispose() => _listener.Dispose();

    private static string? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach (var tag in tags)
        {
            if (tag.Key == name)
            {
                return tag.Value as string;
            }
        }

        return null;
    }

    private static bool HasFailed(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
        {
            if (tag is { Key: "http.response.status_code", Value: >= 500 })
            {
                return true;
            }
        }

        return false;
    }

    private Take? TakerOf(Instrument instrument) => instrument.Name switch
    {
        "http.server.request.duration" => Answered,
        "http.server.active_requests" => (value, _) => _counts.Add("active", (long)value),
        "http.client.request.duration" => (value, _) => _upstreamLatencies.Record(value),
        "luma_gateway.cache.answers" => Given,
        "luma_gateway.upstream.requests" => (value, _) => Asked((int)value),
        "luma_gateway.upstream.faults" => Faulted,
        "luma_gateway.access.admitted" => (value, tags) => _admitted.Add(Tag(tags, "luma_gateway.client.name") ?? "", (long)value),
        "luma_gateway.access.refused" => (value, tags) => _refused.Add(Tag(tags, "luma_gateway.client.name") ?? "", (long)value),
        "luma_gateway.waiting.waiters" or "luma_gateway.waiting.watched" or
        "luma_gateway.cache.faults" or "luma_gateway.cache.saved" or "luma_gateway.upstream.retries" or "luma_gateway.upstream.token_fallbacks" =>
            (value, _) => _counts.Add(instrument.Name, (long)value),
        _ when instrument.IsObservable && instrument.Meter.Name == Instrumentation.Name =>
            (value, tags) => _gauges[Tag(tags, "luma_gateway.redis.operation") ?? instrument.Name] = value,
        _ => null,
    };

    private void Answered(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var failed = HasFailed(tags);
        _counts.Add("requests", 1);
        _requests.Add(1);
        _latencies.Record(seconds);
        if (failed)
        {
            _counts.Add("failures", 1);
            _failures.Add(1);
        }

        _routes
            .GetOrAdd((Tag(tags, "http.request.method") ?? "", Tag(tags, "http.route") ?? "(none)"), static (_, clock) => new RouteNumbers(clock), clock)
            .Add(seconds, failed);
    }

    private void Asked(int count)
    {
        _counts.Add("luma_gateway.upstream.requests", count);
        _asked.Add(count);
    }

    private void Given(double count, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var status = Tag(tags, "luma_gateway.cache.status") ?? "";
        _answers.Add(status, (long)count);
        _given.Add((int)count);
        if (status != "miss")
        {
            _free.Add((int)count);
        }
    }

    private void Faulted(double count, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kind = Tag(tags, "error.type") ?? "";
        _upstreamFaults.Add(kind, (long)count);
        if (count > 0 && kind is not ("not_found" or "circuit_open")) // an answer, and an echo: they would push the causes out
        {
            _lastFaults.Add(kind);
        }
    }

    private double Gauge(string name) => _gauges.GetValueOrDefault(name);

    private UpstreamBody ReadUpstream() => new(
        Gauge("luma_gateway.upstream.breaker") > 0,
        Gauge("luma_gateway.upstream.account_refused") > 0,
        (long)Gauge("luma_gateway.upstream.active"),
        (long)Gauge("luma_gateway.upstream.queued"),
        (long)Gauge("luma_gateway.upstream.limit"),
        _counts.Of("luma_gateway.upstream.requests"),
        _counts.Of("luma_gateway.upstream.retries"),
        _counts.Of("luma_gateway.upstream.token_fallbacks"),
        _upstreamFaults.Read(),
        _asked.Read(),
        _upstreamLatencies.Read());

    private RedisBody? ReadRedis() => !_gauges.ContainsKey("luma_gateway.redis.connected")
        ? null
        : new RedisBody(Gauge("luma_gateway.redis.connected") > 0, Gauge("read") > 0, Gauge("write") > 0, Math.Round(Gauge("luma_gateway.redis.silence"), 1));

    private List<ClientBody> ReadClients()
    {
        var refused = _refused.Read();
        return
        [
            .. _admitted.Read().Keys.Union(refused.Keys)
                .Select(name => new ClientBody(name, _admitted.Of(name), refused.GetValueOrDefault(name)))
                .Where(client => client.Admitted + client.Refused > 0)
                .OrderByDescending(client => client.Admitted + client.Refused)
                .Take(8),
        ];
    }
}
