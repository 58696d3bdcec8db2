using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Jobs;

/// <summary>Why the job of a create has no id in the ledger. The set is closed: it is a metric attribute.</summary>
internal enum UnrecordedReason
{
    /// <summary>The ledger did not confirm the write.</summary>
    LedgerUnavailable,

    /// <summary>The response has no id that the gateway can read.</summary>
    UnreadableResponse,
}

/// <summary>Metrics of jobs.</summary>
internal sealed class JobMetrics : IGatewayMetrics
{
    private readonly Counter<long> _unrecorded;
    private readonly Counter<long> _saturated;
    private readonly UpDownCounter<long> _waiting;

    public JobMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _unrecorded = meter.CreateCounter<long>("luma_gateway.jobs.unrecorded", "{job}", "Creates whose generation is not in the ledger, by reason.");
        _saturated = meter.CreateCounter<long>("luma_gateway.jobs.saturated", "{request}", "Creates refused with account_saturated: no slot of the account was free in time.");
        _waiting = meter.CreateUpDownCounter<long>("luma_gateway.jobs.waiting", "{request}", "Creates that wait for a slot of their account.");
    }

    public void Initialize()
    {
        _saturated.Add(0);
        _waiting.Add(0);
        foreach (var reason in Enum.GetValues<UnrecordedReason>())
        {
            Count(0, reason);
        }
    }

    public void RecordUnrecorded(UnrecordedReason reason) => Count(1, reason);

    public void RecordSaturated() => _saturated.Add(1);

    public void AddWaiting(int creates) => _waiting.Add(creates);

    internal static string NameOf(UnrecordedReason reason) => reason switch
    {
        UnrecordedReason.LedgerUnavailable => "ledger_unavailable",
        UnrecordedReason.UnreadableResponse => "unreadable_response",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };

    private void Count(int jobs, UnrecordedReason reason) => _unrecorded.Add(jobs, new KeyValuePair<string, object?>("luma_gateway.jobs.reason", NameOf(reason)));
}
