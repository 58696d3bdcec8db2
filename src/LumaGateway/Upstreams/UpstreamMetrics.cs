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
    private volatile bool _isBreakerOpen;
    private bool _isAccountRefused;

    public UpstreamMetrics(IMeterFactory meters, UpstreamConcurrencyLimiter limiter)
    {
        var meter = meters.Create(Instrumentation.Name);
        _requests = meter.CreateCounter<long>("luma_gateway.upstream.requests", "{request}", "Reads sent to the upstream, retries included.");
        _retries = meter.CreateCounter<long>("luma_gateway.upstream.retries", "{request}", "Reads of the upstream that were tried again.");
        _faults = meter.CreateCounter<long>("luma_gateway.upstream.faults", "{fault}", "Reads of the upstream that gave no answer, after all retries.");
        _generations = meter.CreateCounter<long>("luma_gateway.upstream.generations", "{answer}", "Generations read from the upstream, by state.");
        _unknownStates = meter.CreateCounter<long>("luma_gateway.upstream.unknown_states", "{answer}", "Answers whose state the gateway does not know.");
        _tokenFallbacks = meter.CreateCounter<long>(
            "luma_gateway.upstream.token_fallbacks", "{request}", "Exchanges in which one of two upstream tokens was refused and the other was not.");
        meter.CreateObservableGauge("luma_gateway.upstream.active", () => limiter.Active, "{request}", "Exchanges with the upstream under way.");
        meter.CreateObservableGauge("luma_gateway.upstream.queued", () => limiter.Queued, "{request}", "Exchanges that wait for a place among those under way.");
        meter.CreateObservableGauge("luma_gateway.upstream.limit", () => limiter.Limit, "{request}", "The most exchanges that may be under way: Limits:Upstream:Concurrency.");
        meter.CreateObservableGauge(
            "luma_gateway.upstream.account_refused", () => Volatile.Read(ref _isAccountRefused) ? 1 : 0, "{state}", "1 while the upstream refuses the gateway's own account, else 0.");
        meter.CreateObservableGauge("luma_gateway.upstream.breaker", () => _isBreakerOpen ? 1 : 0, "{state}", "1 while the upstream's circuit is open, else 0.");
    }

    public bool IsBreakerOpen => _isBreakerOpen;

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

    /// <returns>True if the state changed.</returns>
    public bool SetAccountRefused(bool refused) => Volatile.Read(ref _isAccountRefused) != refused && Interlocked.Exchange(ref _isAccountRefused, refused) != refused;

    public void RecordTokenFallback() => _tokenFallbacks.Add(1);

    public void SetBreakerOpen(bool isOpen) => _isBreakerOpen = isOpen;

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
