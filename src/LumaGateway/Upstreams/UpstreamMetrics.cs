using System.Diagnostics.Metrics;
using LumaGateway.Contracts;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>What is counted of the upstream. Attribute values come from closed sets; never an id or an address.</summary>
internal sealed class UpstreamMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _generations;
    private readonly Counter<long> _unknownStates;
    private volatile bool _isOpen;

    public UpstreamMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _requests = meter.CreateCounter<long>("luma_gateway.upstream.requests", "{request}", "Reads sent to the upstream, retries included.");
        _retries = meter.CreateCounter<long>("luma_gateway.upstream.retries", "{request}", "Reads of the upstream that were tried again.");
        _faults = meter.CreateCounter<long>("luma_gateway.upstream.faults", "{fault}", "Reads of the upstream that gave no answer, after all retries.");
        _generations = meter.CreateCounter<long>("luma_gateway.upstream.generations", "{answer}", "Generations read from the upstream, by state.");
        _unknownStates = meter.CreateCounter<long>("luma_gateway.upstream.unknown_states", "{answer}", "Answers whose state the gateway does not know.");
        meter.CreateObservableGauge("luma_gateway.upstream.breaker", () => _isOpen ? 1 : 0, "{state}", "1 while the upstream's circuit is open, else 0.");
    }

    public bool IsBreakerOpen => _isOpen;

    public void Asked() => _requests.Add(1);

    public void Retried() => _retries.Add(1);

    public void Faulted(UpstreamFault fault) => _faults.Add(1, new KeyValuePair<string, object?>("error.type", NameOf(fault)));

    public void BreakerIs(bool open) => _isOpen = open;

    public void Answered(DialectAnswer answer)
    {
        _generations.Add(1, new KeyValuePair<string, object?>("luma_gateway.generation.state", NameOf(answer.Generation.State)));
        if (!answer.IsKnownState)
        {
            _unknownStates.Add(1);
        }
    }

    internal static string NameOf(UpstreamFault fault) => fault switch
    {
        UpstreamFault.Unreachable => "unreachable",
        UpstreamFault.Failed => "failed",
        UpstreamFault.Rejected => "rejected",
        UpstreamFault.Malformed => "malformed",
        UpstreamFault.NotFound => "not_found",
        UpstreamFault.TokenRefused => "token_refused",
        UpstreamFault.OutOfCredit => "out_of_credit",
        UpstreamFault.Throttled => "throttled",
        UpstreamFault.CircuitOpen => "circuit_open",
        UpstreamFault.Saturated => "saturated",
        UpstreamFault.TimedOut => "timed_out",
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    internal static string NameOf(GenerationState state) => state switch
    {
        GenerationState.Queued => "queued",
        GenerationState.Processing => "processing",
        GenerationState.Completed => "completed",
        GenerationState.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };
}
