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

/// <summary>Metrics of jobs. Attribute values come from closed sets; the accounts are those of the settings.</summary>
internal sealed class JobMetrics : IGatewayMetrics
{
    private readonly Counter<long> _unrecorded;
    private readonly Counter<long> _saturated;
    private readonly UpDownCounter<long> _waiting;
    private readonly JobLimits _limits;

    public JobMetrics(IMeterFactory meters, JobLimits limits)
    {
        _limits = limits;
        var meter = meters.Create(Instrumentation.Name);
        _unrecorded = meter.CreateCounter<long>("luma_gateway.jobs.unrecorded", "{job}", "Creates whose generation is not in the ledger, by account and reason.");
        _saturated = meter.CreateCounter<long>("luma_gateway.jobs.saturated", "{request}", "Creates refused with account_saturated: no slot was free in time; by the account that was chosen first.");
        _waiting = meter.CreateUpDownCounter<long>("luma_gateway.jobs.waiting", "{request}", "Creates that wait for a slot, by the account that was chosen first.");
    }

    public void Initialize()
    {
        foreach (var account in _limits.ByAccount.Keys)
        {
            _saturated.Add(0, Instrumentation.AccountTag(account));
            _waiting.Add(0, Instrumentation.AccountTag(account));
            foreach (var reason in Enum.GetValues<UnrecordedReason>())
            {
                Count(0, reason, account);
            }
        }
    }

    public void RecordUnrecorded(UnrecordedReason reason, string account) => Count(1, reason, account);

    public void RecordSaturated(string account) => _saturated.Add(1, Instrumentation.AccountTag(account));

    public void AddWaiting(int creates, string account) => _waiting.Add(creates, Instrumentation.AccountTag(account));

    internal static string NameOf(UnrecordedReason reason) => reason switch
    {
        UnrecordedReason.LedgerUnavailable => "ledger_unavailable",
        UnrecordedReason.UnreadableResponse => "unreadable_response",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };

    private void Count(int jobs, UnrecordedReason reason, string account) =>
        _unrecorded.Add(jobs, Instrumentation.AccountTag(account), new KeyValuePair<string, object?>("luma_gateway.jobs.reason", NameOf(reason)));
}
