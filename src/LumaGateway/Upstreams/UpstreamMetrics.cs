using System.Diagnostics.Metrics;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>The metrics of the upstream. Attribute values come from closed sets and contain no id or address.</summary>
internal sealed class UpstreamMetrics : IGatewayMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _generations;
    private readonly Counter<long> _unknownStates;
    private readonly Counter<long> _tokenFallbacks;

    public UpstreamMetrics(IMeterFactory meters, UpstreamConcurrencyLimiter limiter, UpstreamState state)
    {
        var meter = meters.Create(Instrumentation.Name);
        _requests = meter.CreateCounter<long>("luma_gateway.upstream.requests", "{request}", "Reads sent to the upstream, retries included.");
        _retries = meter.CreateCounter<long>("luma_gateway.upstream.retries", "{request}", "Repeated attempts of upstream reads.");
        _faults = meter.CreateCounter<long>("luma_gateway.upstream.faults", "{fault}", "Upstream reads that failed after all attempts, by fault.");
        _generations = meter.CreateCounter<long>("luma_gateway.upstream.generations", "{answer}", "Generations read from the upstream, by state.");
        _unknownStates = meter.CreateCounter<long>("luma_gateway.upstream.unknown_states", "{answer}", "Upstream responses with a state that the gateway does not know.");
        _tokenFallbacks = meter.CreateCounter<long>(
            "luma_gateway.upstream.token_fallbacks", "{request}", "Upstream requests for which one of two tokens was refused and the other was accepted.");
        meter.CreateObservableGauge("luma_gateway.upstream.active", () => limiter.Active, "{request}", "Active upstream requests.");
        meter.CreateObservableGauge("luma_gateway.upstream.queued", () => limiter.Queued, "{request}", "Upstream requests that wait for a free slot.");
        meter.CreateObservableGauge("luma_gateway.upstream.limit", () => limiter.Limit, "{request}", "The maximum of active upstream requests: Limits:Upstream:Concurrency.");
        meter.CreateObservableGauge(
            "luma_gateway.upstream.account_refused", () => state.IsAccountRefused ? 1 : 0, "{state}", "1 while the upstream refuses the gateway's account, otherwise 0.");
        meter.CreateObservableGauge("luma_gateway.upstream.breaker", () => state.IsBreakerOpen ? 1 : 0, "{state}", "1 while the upstream's circuit breaker is open, otherwise 0.");
    }

    public void Initialize()
    {
        _requests.Add(0);
        _retries.Add(0);
        _unknownStates.Add(0);
        _tokenFallbacks.Add(0);
        foreach (var fault in Enum.GetValues<UpstreamFault>())
        {
            Count(0, fault);
        }

        foreach (var state in Enum.GetValues<GenerationState>())
        {
            Count(0, state);
        }
    }

    public void RecordRequest() => _requests.Add(1);

    public void RecordRetry() => _retries.Add(1);

    public void RecordFault(UpstreamFault fault) => Count(1, fault);

    public void RecordTokenFallback() => _tokenFallbacks.Add(1);

    public void RecordResult(DialectResult result)
    {
        Count(1, result.Generation.State);
        if (!result.IsKnownState)
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

    private void Count(int amount, UpstreamFault fault) => _faults.Add(amount, new KeyValuePair<string, object?>("error.type", NameOf(fault)));

    private void Count(int amount, GenerationState state) =>
        _generations.Add(amount, new KeyValuePair<string, object?>("luma_gateway.generation.state", NameOf(state)));
}
