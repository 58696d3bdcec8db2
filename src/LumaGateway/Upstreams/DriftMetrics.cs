using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>Counts an account's responses with unknown contents, by dialect and kind. No attribute contains a text of the upstream.</summary>
internal sealed class DriftMetrics
{
    private readonly Counter<long> _drift;
    private readonly KeyValuePair<string, object?> _dialect;
    private readonly KeyValuePair<string, object?> _account;

    public DriftMetrics(IMeterFactory meters, string account, string dialect)
    {
        _dialect = new("luma_gateway.upstream.dialect", dialect);
        _account = Instrumentation.AccountTag(account);
        _drift = meters.Create(Instrumentation.Name).CreateCounter<long>(
            "luma_gateway.upstream.drift", "{response}", "Responses of the upstream with a field, state or type that the gateway does not know.");
    }

    public void Initialize()
    {
        foreach (var kind in Enum.GetValues<DriftKind>())
        {
            Add(0, kind);
        }
    }

    public void Record(DriftKind kind) => Add(1, kind);

    internal static string NameOf(DriftKind kind) => kind switch
    {
        DriftKind.Field => "field",
        DriftKind.State => "state",
        DriftKind.Type => "type",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private void Add(int amount, DriftKind kind) => _drift.Add(
        amount, _account, _dialect, new KeyValuePair<string, object?>("luma_gateway.upstream.drift_kind", NameOf(kind)));
}
