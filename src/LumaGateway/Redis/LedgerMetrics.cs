using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Redis;

/// <summary>Metrics of the ledger's Redis. Only with Redis.</summary>
internal sealed class LedgerMetrics : IGatewayMetrics
{
    private readonly Counter<long> _unreplicated;

    public LedgerMetrics(IMeterFactory meters, LedgerConnection ledger)
    {
        var meter = meters.Create(Instrumentation.Name);
        _unreplicated = meter.CreateCounter<long>("luma_gateway.ledger.unreplicated", "{write}", "Writes to the ledger that not all replicas of its Redis confirmed in time.");
        meter.CreateObservableGauge(
            "luma_gateway.ledger.connected",
            () => ledger is { IsConfigured: true, Redis.IsClosed: false } ? [new Measurement<int>(ledger.Redis.IsConnected ? 1 : 0)] : Array.Empty<Measurement<int>>(),
            "{state}",
            "1 while the gateway is connected to the ledger's Redis, otherwise 0. Only with Redis.");
        meter.CreateObservableGauge(
            "luma_gateway.ledger.evicts",
            () => ledger.LastPolicy is { } policy ? [new Measurement<int>(policy == LedgerConnection.SafePolicy ? 0 : 1)] : Array.Empty<Measurement<int>>(),
            "{state}",
            "1 if the ledger's Redis may evict records (maxmemory-policy is not noeviction), otherwise 0. Only with Redis.");
    }

    public void Initialize() => _unreplicated.Add(0);

    public void RecordUnreplicated() => _unreplicated.Add(1);
}
