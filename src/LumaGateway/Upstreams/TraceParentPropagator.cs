using System.Diagnostics;

namespace LumaGateway.Upstreams;

/// <summary>Propagates <c>traceparent</c> and <c>tracestate</c> (W3C Trace Context), but not <c>baggage</c>, which may contain a caller's secrets.</summary>
internal sealed class TraceParentPropagator : DistributedContextPropagator
{
    private static readonly DistributedContextPropagator W3C = CreateW3CPropagator();

    public override IReadOnlyCollection<string> Fields { get; } = ["traceparent", "tracestate"];

    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) =>
        W3C.Inject(activity, carrier, (target, name, value) =>
        {
            if (Fields.Contains(name))
            {
                setter?.Invoke(target, name, value);
            }
        });

    public override void ExtractTraceIdAndState(
        object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) =>
        W3C.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);

    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) => null;
}
