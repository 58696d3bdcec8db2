using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>The gauges of the upstream, with one measurement for each account. Starts the counters of all accounts at zero.</summary>
internal sealed class UpstreamGauges : IGatewayMetrics
{
    private readonly UpstreamAccounts _accounts;

    public UpstreamGauges(IMeterFactory meters, UpstreamAccounts accounts)
    {
        _accounts = accounts;
        var meter = meters.Create(Instrumentation.Name);
        meter.CreateObservableGauge("luma_gateway.upstream.active", () => Measure(static account => account.Limiter.Active), "{request}", "Active upstream requests.");
        meter.CreateObservableGauge(
            "luma_gateway.upstream.queued", () => Measure(static account => account.Limiter.Queued), "{request}", "Upstream requests in the queue of Limits:Upstream.");
        meter.CreateObservableGauge(
            "luma_gateway.upstream.limit", () => Measure(static account => account.Limiter.Limit), "{request}", "The maximum of active upstream requests: Limits:Upstream:Concurrency.");
        meter.CreateObservableGauge(
            "luma_gateway.upstream.account_refused", () => Measure(static account => account.State.IsAccountRefused ? 1 : 0), "{state}", "1 while the upstream refuses the gateway's account, otherwise 0.");
        meter.CreateObservableGauge(
            "luma_gateway.upstream.breaker", () => Measure(static account => account.State.IsBreakerOpen ? 1 : 0), "{state}", "1 while the upstream's circuit breaker is open, otherwise 0.");
    }

    public void Initialize()
    {
        foreach (var account in _accounts.All)
        {
            account.Metrics.Initialize();
            account.Drift.Initialize();
        }
    }

    private IEnumerable<Measurement<T>> Measure<T>(Func<UpstreamAccount, T> read)
        where T : struct => _accounts.All.Select(account => new Measurement<T>(read(account), Instrumentation.AccountTag(account.Name)));
}
