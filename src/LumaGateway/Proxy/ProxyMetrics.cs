using System.Diagnostics.Metrics;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Telemetry;

namespace LumaGateway.Proxy;

/// <summary>Metrics of the upstream's API under <c>/luma</c>. Attribute values come from closed sets.</summary>
internal sealed class ProxyMetrics : IGatewayMetrics
{
    private readonly Counter<long> _creates;
    private readonly Counter<long> _replays;

    public ProxyMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _creates = meter.CreateCounter<long>("luma_gateway.passthrough.creates", "{request}", "Creates sent to the upstream, by outcome.");
        _replays = meter.CreateCounter<long>("luma_gateway.passthrough.replays", "{answer}", "Repeated creates that got the recorded response of their Idempotency-Key.");
    }

    public void Initialize()
    {
        _replays.Add(0);
        foreach (var outcome in Enum.GetValues<CreateOutcome>())
        {
            Count(0, outcome);
        }
    }

    public void Created(CreateOutcome outcome) => Count(1, outcome);

    public void Replayed() => _replays.Add(1);

    internal static string NameOf(CreateOutcome outcome) => outcome switch
    {
        CreateOutcome.Settled => "settled",
        CreateOutcome.Refused => "refused",
        CreateOutcome.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    private void Count(int creates, CreateOutcome outcome) =>
        _creates.Add(creates, new KeyValuePair<string, object?>("luma_gateway.create.outcome", NameOf(outcome)));
}
