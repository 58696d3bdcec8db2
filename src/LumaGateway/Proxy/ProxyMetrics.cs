using System.Diagnostics.Metrics;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams;

namespace LumaGateway.Proxy;

/// <summary>Metrics of the upstream's API under <c>/luma</c>. Attribute values come from closed sets.</summary>
internal sealed class ProxyMetrics : IGatewayMetrics
{
    private readonly Counter<long> _creates;
    private readonly Counter<long> _replays;
    private readonly Counter<long> _moves;
    private readonly UpstreamAccounts _accounts;

    public ProxyMetrics(IMeterFactory meters, UpstreamAccounts accounts)
    {
        _accounts = accounts;
        var meter = meters.Create(Instrumentation.Name);
        _creates = meter.CreateCounter<long>("luma_gateway.passthrough.creates", "{request}", "Creates, by account and outcome. One that moved to another account counts for each.");
        _replays = meter.CreateCounter<long>("luma_gateway.passthrough.replays", "{response}", "Repeated creates that got the recorded response of their Idempotency-Key.");
        _moves = meter.CreateCounter<long>(
            "luma_gateway.passthrough.moves", "{request}", "Creates that an account refused, or that did not reach it, and that were sent to another account; by the account that did not run it.");
    }

    public void Initialize()
    {
        _replays.Add(0);
        foreach (var account in _accounts.All)
        {
            _moves.Add(0, Instrumentation.AccountTag(account.Name));
            foreach (var outcome in Enum.GetValues<CreateOutcome>())
            {
                Count(0, outcome, account.Name);
            }
        }
    }

    public void Created(CreateOutcome outcome, string account) => Count(1, outcome, account);

    public void Moved(string account) => _moves.Add(1, Instrumentation.AccountTag(account));

    public void Replayed() => _replays.Add(1);

    internal static string NameOf(CreateOutcome outcome) => outcome switch
    {
        CreateOutcome.Settled => "settled",
        CreateOutcome.Refused => "refused",
        CreateOutcome.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    private void Count(int creates, CreateOutcome outcome, string account) =>
        _creates.Add(creates, Instrumentation.AccountTag(account), new KeyValuePair<string, object?>("luma_gateway.create.outcome", NameOf(outcome)));
}
