using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Polling;

/// <summary>What is counted of waiting. Attribute values come from closed sets; never an id.</summary>
internal sealed class WaitingMetrics : ISeries
{
    private const string Kind = "luma_gateway.waiting.kind";

    private readonly UpDownCounter<long> _waiters;
    private readonly UpDownCounter<long> _watched;
    private readonly Counter<long> _polls;
    private readonly Counter<long> _saved;
    private readonly Counter<long> _turnedAway;
    private readonly Counter<long> _takeovers;
    private readonly Counter<long> _hints;
    private readonly Histogram<double> _lag;

    public WaitingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _waiters = meter.CreateUpDownCounter<long>("luma_gateway.waiting.waiters", "{waiter}", "Callers that wait on this replica now.");
        _watched = meter.CreateUpDownCounter<long>("luma_gateway.waiting.watched", "{generation}", "Generations that callers of this replica wait for now.");
        _polls = meter.CreateCounter<long>("luma_gateway.waiting.polls", "{request}", "Polls that came due because somebody waits, by what they cost.");
        _saved = meter.CreateCounter<long>("luma_gateway.waiting.polls_saved", "{request}", "Polls that callers would have sent in the time they waited, one every Waiting:PollEvery.");
        _turnedAway = meter.CreateCounter<long>("luma_gateway.waiting.turned_away", "{request}", "Callers that could not wait because Waiting:Max, or their client's share of it, already do.");
        _takeovers = meter.CreateCounter<long>("luma_gateway.waiting.takeovers", "{takeover}", "Times this replica took the watch over from another.");
        _hints = meter.CreateCounter<long>("luma_gateway.waiting.hints", "{callback}", "Callbacks received, by what came of them.");
        _lag = meter.CreateHistogram(
            "luma_gateway.waiting.lag",
            "s",
            "From the last answer that was still unfinished until waiters were told of the end: the most that detection can have lagged.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10, 30] });
    }

    public void Begin()
    {
        _watched.Add(0);
        _saved.Add(0);
        _turnedAway.Add(0);
        _takeovers.Add(0);
        foreach (var kind in Enum.GetValues<WaiterKind>())
        {
            _waiters.Add(0, new KeyValuePair<string, object?>(Kind, NameOf(kind)));
        }

        foreach (var kind in Enum.GetValues<PollKind>())
        {
            _polls.Add(0, new KeyValuePair<string, object?>("luma_gateway.waiting.call", NameOf(kind)));
        }

        foreach (var outcome in (string[])["asked", "ignored"])
        {
            _hints.Add(0, new KeyValuePair<string, object?>("luma_gateway.waiting.outcome", outcome));
        }
    }

    public void Entered(WaiterKind kind) => _waiters.Add(1, new KeyValuePair<string, object?>(Kind, NameOf(kind)));

    public void Left(WaiterKind kind, long saved)
    {
        _waiters.Add(-1, new KeyValuePair<string, object?>(Kind, NameOf(kind)));
        _saved.Add(saved);
    }

    public void TurnedAway() => _turnedAway.Add(1);

    public void Watching() => _watched.Add(1);

    public void WatchingNoMore(int count) => _watched.Add(-count);

    public void Polled(PollKind kind) => _polls.Add(1, new KeyValuePair<string, object?>("luma_gateway.waiting.call", NameOf(kind)));

    public void TookOver() => _takeovers.Add(1);

    public void Hinted(bool taken) => _hints.Add(1, new KeyValuePair<string, object?>("luma_gateway.waiting.outcome", taken ? "asked" : "ignored"));

    public void Ended(TimeSpan lag) => _lag.Record(lag.TotalSeconds);

    internal static string NameOf(PollKind kind) => kind switch
    {
        PollKind.Single => "single",
        PollKind.List => "list",
        PollKind.Spared => "spared",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    internal static string NameOf(WaiterKind kind) => kind switch
    {
        WaiterKind.Answer => "answer",
        WaiterKind.Stream => "stream",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <summary>What a poll cost. The set is closed: it is a metric's attribute.</summary>
internal enum PollKind
{
    /// <summary>A call for one generation.</summary>
    Single,

    /// <summary>A call for a page of the list.</summary>
    List,

    /// <summary>Nothing: somebody else had just asked.</summary>
    Spared,
}
