using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Polling;

/// <summary>The metrics of waiting and polling. Attribute values come from closed sets; none is an id.</summary>
internal sealed class WaitingMetrics : IGatewayMetrics
{
    private const string Kind = "luma_gateway.waiting.kind";

    private readonly UpDownCounter<long> _waiters;
    private readonly UpDownCounter<long> _targets;
    private readonly Counter<long> _polls;
    private readonly Counter<long> _saved;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _hints;
    private readonly Histogram<double> _lag;

    public WaitingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _waiters = meter.CreateUpDownCounter<long>("luma_gateway.waiting.waiters", "{waiter}", "Callers that wait on this replica now.");
        _targets = meter.CreateUpDownCounter<long>("luma_gateway.waiting.targets", "{generation}", "Generations that callers of this replica wait for now.");
        _polls = meter.CreateCounter<long>("luma_gateway.waiting.polls", "{request}", "Polls that came due for waiting callers, by the upstream call they needed.");
        _saved = meter.CreateCounter<long>("luma_gateway.waiting.polls_saved", "{request}", "Requests that waiting callers did not have to send, at one every Waiting:PollEvery.");
        _rejected = meter.CreateCounter<long>("luma_gateway.waiting.refused", "{request}", "Callers that could not wait because Waiting:Max, or their client's share of it, was reached.");
        _hints = meter.CreateCounter<long>("luma_gateway.waiting.hints", "{callback}", "Callbacks received, by whether they caused a poll.");
        _lag = meter.CreateHistogram(
            "luma_gateway.waiting.lag",
            "s",
            "Time from the last interim state until waiters get the final one: the upper bound of the detection delay.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10, 30] });
    }

    public void Initialize()
    {
        _targets.Add(0);
        _saved.Add(0);
        _rejected.Add(0);
        foreach (var kind in Enum.GetValues<WaiterKind>())
        {
            _waiters.Add(0, new KeyValuePair<string, object?>(Kind, NameOf(kind)));
        }

        foreach (var kind in Enum.GetValues<PollKind>())
        {
            _polls.Add(0, new KeyValuePair<string, object?>("luma_gateway.waiting.call", NameOf(kind)));
        }

        foreach (var outcome in (string[])["polled", "ignored"])
        {
            _hints.Add(0, new KeyValuePair<string, object?>("luma_gateway.waiting.outcome", outcome));
        }
    }

    public void WaiterAdded(WaiterKind kind) => _waiters.Add(1, new KeyValuePair<string, object?>(Kind, NameOf(kind)));

    public void WaiterRemoved(WaiterKind kind, long savedPolls)
    {
        _waiters.Add(-1, new KeyValuePair<string, object?>(Kind, NameOf(kind)));
        _saved.Add(savedPolls);
    }

    public void WaiterRejected() => _rejected.Add(1);

    public void TargetAdded() => _targets.Add(1);

    public void TargetsRemoved(int count) => _targets.Add(-count);

    public void Polled(PollKind kind) => _polls.Add(1, new KeyValuePair<string, object?>("luma_gateway.waiting.call", NameOf(kind)));

    public void HintReceived(bool isAccepted) => _hints.Add(1, new KeyValuePair<string, object?>("luma_gateway.waiting.outcome", isAccepted ? "polled" : "ignored"));

    public void EndDetected(TimeSpan lag) => _lag.Record(lag.TotalSeconds);

    internal static string NameOf(PollKind kind) => kind switch
    {
        PollKind.Single => "single",
        PollKind.List => "list",
        PollKind.Cached => "cached",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    internal static string NameOf(WaiterKind kind) => kind switch
    {
        WaiterKind.LongPoll => "long_poll",
        WaiterKind.Stream => "stream",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <summary>Which upstream call a poll needed. The set is closed: it is a metric's attribute.</summary>
internal enum PollKind
{
    /// <summary>A read of one generation.</summary>
    Single,

    /// <summary>A read of one page of the list.</summary>
    List,

    /// <summary>None: the cache had a recent entry.</summary>
    Cached,
}
