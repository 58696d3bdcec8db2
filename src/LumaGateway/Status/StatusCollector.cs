using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams;

namespace LumaGateway.Status;

/// <summary>
/// Collects the measurements of the instruments that <c>/metrics</c> exports, from <see cref="Start"/> on. Thread-safe; recording allocates
/// nothing.
/// </summary>
internal sealed class StatusCollector(IMeterFactory meters, ReplicaDirectory replicas, UpstreamAccounts accounts, TimeProvider clock) : IDisposable
{
    private readonly Lock _observing = new();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Method, string? Route), RouteStatistics> _routes = new();
    private readonly ConcurrentDictionary<string, PerSecondCounter> _cacheResults = new(StringComparer.Ordinal);
    private readonly NamedCounters _counts = new();
    private readonly NamedCounters _upstreamFaults = new();
    private readonly NamedCounters _reads = new();
    private readonly NamedCounters _creates = new();
    private readonly NamedCounters _admitted = new();
    private readonly NamedCounters _refused = new();
    private readonly PerSecondCounter _upstreamRequests = new(clock);
    private readonly LatencyHistogram _upstreamLatencies = new(clock);
    private readonly RecentFaults _lastFaults = new(clock);
    private readonly ConcurrentDictionary<string, double> _gauges = new(StringComparer.Ordinal);

    private delegate void Recorder(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    public void Start()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // The scope excludes other gateways in the process, as in tests, and HTTP clients such as the OTLP exporter's.
            if (ReferenceEquals(instrument.Meter.Scope, meters) && RecorderOf(instrument) is { } recorder)
            {
                listener.EnableMeasurementEvents(instrument, recorder);
            }
        };
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, recorder) => ((Recorder)recorder!)(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, recorder) => ((Recorder)recorder!)(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, recorder) => ((Recorder)recorder!)(value, tags));
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
            ReplicaDirectory.Name,
            replicas.StartedAt,
            clock.GetUtcNow(),
            ReadTraffic(),
            new CacheBody(
                _cacheResults.ToDictionary(one => one.Key, one => one.Value.Total, StringComparer.Ordinal),
                _counts.Of("luma_gateway.cache.faults"),
                (long)Gauge("luma_gateway.cache.saved"),
                PerSecondCounter.Read(_cacheResults.Values),
                PerSecondCounter.Read(_cacheResults.Where(one => one.Key != "miss").Select(one => one.Value))),
            ReadUpstream(),
            ReadRedis(),
            _gauges.TryGetValue("luma_gateway.ledger.connected", out var ledger) ? ledger > 0 : null,
            replicas.Current,
            _counts.Of("luma_gateway.waiting.waiters"),
            _counts.Of("luma_gateway.waiting.targets"),
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

    private static bool IsFailure(ReadOnlySpan<KeyValuePair<string, object?>> tags)
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

    private Recorder? RecorderOf(Instrument instrument) => instrument.Name switch
    {
        "http.server.request.duration" => RecordRequest,
        "http.server.active_requests" => (value, _) => _counts.Add("active", (long)value),
        "http.client.request.duration" => (value, _) => _upstreamLatencies.Record(value),
        "luma_gateway.cache.results" => RecordCacheResult,
        "luma_gateway.upstream.requests" => RecordRead,
        "luma_gateway.passthrough.creates" => (value, tags) => _creates.Add(AccountOf(tags), (long)value),
        "luma_gateway.upstream.faults" => RecordFault,
        "luma_gateway.access.admitted" => (value, tags) => _admitted.Add(Tag(tags, "luma_gateway.client.name") ?? "", (long)value),
        "luma_gateway.access.refused" => (value, tags) => _refused.Add(Tag(tags, "luma_gateway.client.name") ?? "", (long)value),
        "luma_gateway.waiting.waiters" or "luma_gateway.waiting.targets" or
        "luma_gateway.cache.faults" or "luma_gateway.upstream.retries" or "luma_gateway.upstream.token_fallbacks" =>
            (value, _) => _counts.Add(instrument.Name, (long)value),
        _ when instrument.IsObservable && instrument.Meter.Name == Instrumentation.Name =>
            (value, tags) => _gauges[Tag(tags, "luma_gateway.redis.operation") ?? instrument.Name] = value,
        _ => null,
    };

    private void RecordRequest(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags) => _routes
        .GetOrAdd((Tag(tags, "http.request.method") ?? "", Tag(tags, "http.route")), static (_, clock) => new RouteStatistics(clock), clock)
        .Add(seconds, IsFailure(tags));

    private void RecordCacheResult(double count, ReadOnlySpan<KeyValuePair<string, object?>> tags) => _cacheResults
        .GetOrAdd(Tag(tags, "luma_gateway.cache.status") ?? "", static (_, clock) => new PerSecondCounter(clock), clock)
        .Add((int)count);

    private void RecordRead(double count, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        _upstreamRequests.Add((int)count);
        _reads.Add(AccountOf(tags), (long)count);
    }

    private static string AccountOf(ReadOnlySpan<KeyValuePair<string, object?>> tags) => Tag(tags, "luma_gateway.upstream.account") ?? "";

    private void RecordFault(double count, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kind = Tag(tags, "error.type") ?? "";
        _upstreamFaults.Add(kind, (long)count);
        if (count > 0 && kind is not ("not_found" or "circuit_open")) // not_found is a result; circuit_open follows from earlier faults
        {
            _lastFaults.Add(kind);
        }
    }

    private double Gauge(string name) => _gauges.GetValueOrDefault(name);

    private TrafficBody ReadTraffic()
    {
        var routes = _routes.Values;
        return new TrafficBody(
            Math.Max(0, _counts.Of("active") - 1), // without the request of the status page
            routes.Sum(route => route.Requests.Total),
            routes.Sum(route => route.Failures.Total),
            PerSecondCounter.Read(routes.Select(route => route.Requests)),
            PerSecondCounter.Read(routes.Select(route => route.Failures)),
            LatencyHistogram.Read(routes.Select(route => route.Latencies)));
    }

    private UpstreamBody ReadUpstream() => new(
        accounts.All.Any(static account => account.State.IsBreakerOpen),
        accounts.All.Any(static account => account.State.IsAccountRefused),
        accounts.All.Sum(static account => account.Limiter.Active),
        accounts.All.Sum(static account => account.Limiter.Queued),
        accounts.All.Sum(static account => account.Limiter.Limit),
        _upstreamRequests.Total,
        _counts.Of("luma_gateway.upstream.retries"),
        _counts.Of("luma_gateway.upstream.token_fallbacks"),
        _upstreamFaults.Read(),
        _upstreamRequests.Read(),
        _upstreamLatencies.Read(),
        [.. accounts.All.Select(ReadAccount)]);

    private AccountBody ReadAccount(UpstreamAccount account) => new(
        account.Name,
        account.Dialect.Name,
        account.Options.Draining,
        account.State.IsBreakerOpen,
        account.State.IsAccountRefused,
        Math.Ceiling(Math.Max(account.Hold.Remaining.TotalSeconds, account.CreateHold.Remaining.TotalSeconds)),
        account.Limiter.Active,
        account.Limiter.Queued,
        _reads.Of(account.Name),
        _creates.Of(account.Name));

    private RedisBody? ReadRedis() => !_gauges.ContainsKey("luma_gateway.redis.connected")
        ? null
        : new RedisBody(Gauge("luma_gateway.redis.connected") > 0, Gauge("read") > 0, Gauge("write") > 0, Math.Round(Gauge("luma_gateway.redis.idle"), 1));

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
