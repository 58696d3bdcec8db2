using System.Diagnostics.Metrics;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>The counters of one account. Attribute values come from closed sets and contain no id or address.</summary>
internal sealed class UpstreamMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _generations;
    private readonly Counter<long> _unknownStates;
    private readonly Counter<long> _tokenFallbacks;
    private readonly KeyValuePair<string, object?> _account;

    public UpstreamMetrics(IMeterFactory meters, string account)
    {
        _account = Instrumentation.AccountTag(account);
        var meter = meters.Create(Instrumentation.Name);
        _requests = meter.CreateCounter<long>("luma_gateway.upstream.requests", "{request}", "Reads sent to the upstream, retries included.");
        _retries = meter.CreateCounter<long>("luma_gateway.upstream.retries", "{request}", "Repeated attempts of upstream reads.");
        _faults = meter.CreateCounter<long>("luma_gateway.upstream.faults", "{fault}", "Upstream reads that failed after all attempts, and refusals of an account by the response to a create or to a request under /luma, by fault.");
        _generations = meter.CreateCounter<long>("luma_gateway.upstream.generations", "{response}", "Generations read from the upstream, by state.");
        _unknownStates = meter.CreateCounter<long>("luma_gateway.upstream.unknown_states", "{response}", "Upstream responses with a state that the gateway does not know.");
        _tokenFallbacks = meter.CreateCounter<long>(
            "luma_gateway.upstream.token_fallbacks", "{request}", "Upstream requests for which one of two tokens was refused and the other was accepted.");
    }

    /// <summary>Adds zero to every counter, for every value of its attributes.</summary>
    public void Initialize()
    {
        _requests.Add(0, _account);
        _retries.Add(0, _account);
        _unknownStates.Add(0, _account);
        _tokenFallbacks.Add(0, _account);
        foreach (var fault in Enum.GetValues<UpstreamFault>())
        {
            Count(0, fault);
        }

        foreach (var state in Enum.GetValues<GenerationState>())
        {
            Count(0, state);
        }
    }

    public void RecordRequest() => _requests.Add(1, _account);

    public void RecordRetry() => _retries.Add(1, _account);

    public void RecordFault(UpstreamFault fault) => Count(1, fault);

    public void RecordTokenFallback() => _tokenFallbacks.Add(1, _account);

    public void RecordResult(DialectResult result)
    {
        Count(1, result.Generation.State);
        if (!result.IsKnownState)
        {
            _unknownStates.Add(1, _account);
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

    private void Count(int amount, UpstreamFault fault) => _faults.Add(amount, _account, new KeyValuePair<string, object?>("error.type", NameOf(fault)));

    private void Count(int amount, GenerationState state) =>
        _generations.Add(amount, _account, new KeyValuePair<string, object?>("luma_gateway.generation.state", NameOf(state)));
}
