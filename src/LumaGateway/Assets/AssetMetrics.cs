using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Assets;

/// <summary>Metrics of assets.</summary>
internal sealed class AssetMetrics : IGatewayMetrics
{
    private readonly Counter<long> _renewals;
    private readonly Counter<long> _refusals;

    public AssetMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _renewals = meter.CreateCounter<long>("luma_gateway.assets.renewals", "{link}", "Links that a CDN rejected and that the gateway renewed.");
        _refusals = meter.CreateCounter<long>("luma_gateway.assets.refusals", "{link}", "Links that the gateway refused to follow.");
    }

    public void Initialize()
    {
        _renewals.Add(0);
        _refusals.Add(0);
    }

    public void Renewed() => _renewals.Add(1);

    public void Refused() => _refusals.Add(1);
}
