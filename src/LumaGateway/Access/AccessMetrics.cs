using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>
/// Metrics of clients. Clients that are not in the settings share one name: an issuer could make any number of names. Reloads the names when the settings
/// change. Thread-safe.
/// </summary>
internal sealed class AccessMetrics : IGatewayMetrics, IDisposable
{
    /// <summary>The name of all clients that are not in the settings.</summary>
    public const string OtherClients = "other";

    private readonly Counter<long> _admitted;
    private readonly Counter<long> _refused;
    private readonly IDisposable? _subscription;
    private volatile FrozenSet<string> _named;

    public AccessMetrics(IMeterFactory meters, ClientLimiters limiters, IOptionsMonitor<AccessOptions> options)
    {
        var meter = meters.Create(Instrumentation.Name);
        _admitted = meter.CreateCounter<long>("luma_gateway.access.admitted", "{request}", "Requests that were authenticated, authorized and within the limits, by client.");
        _refused = meter.CreateCounter<long>("luma_gateway.access.refused", "{request}", "Requests refused for their credential, a missing permission or a limit of their client (401, 403, 429 or 503), by client and reason.");
        meter.CreateObservableGauge("luma_gateway.access.active", () => limiters.ActiveRequests, "{request}", "Active requests of clients, without long polls and event streams.");
        _named = NamesIn(options.CurrentValue);
        _subscription = options.OnChange(changed =>
        {
            _named = NamesIn(changed);
            Initialize();
        });
    }

    public void Initialize()
    {
        foreach (var client in _named)
        {
            _admitted.Add(0, ClientNamed(client));
            foreach (var reason in (RefusalReason[])[RefusalReason.MissingPermission, RefusalReason.RateLimit, RefusalReason.ConcurrencyLimit])
            {
                _refused.Add(0, ClientNamed(client), Because(reason));
            }
        }

        foreach (var reason in (RefusalReason[])[RefusalReason.NoCredential, RefusalReason.UnknownKey, RefusalReason.InvalidToken, RefusalReason.TokenTooLarge, RefusalReason.InvalidTicket, RefusalReason.IssuerUnavailable])
        {
            _refused.Add(0, ClientNamed(Client.UnknownName), Because(reason));
        }
    }

    public void Admitted(string client) => _admitted.Add(1, ClientNamed(LabelOf(client)));

    public void Refused(string client, RefusalReason reason) => _refused.Add(1, ClientNamed(LabelOf(client)), Because(reason));

    public void Dispose() => _subscription?.Dispose();

    internal static string NameOf(RefusalReason reason) => reason switch
    {
        RefusalReason.NoCredential => "no_credential",
        RefusalReason.UnknownKey => "unknown_key",
        RefusalReason.InvalidToken => "invalid_token",
        RefusalReason.TokenTooLarge => "token_too_large",
        RefusalReason.InvalidTicket => "invalid_ticket",
        RefusalReason.IssuerUnavailable => "issuer_unavailable",
        RefusalReason.MissingPermission => "missing_permission",
        RefusalReason.RateLimit => "rate_limit",
        RefusalReason.ConcurrencyLimit => "concurrency_limit",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };

    private static FrozenSet<string> NamesIn(AccessOptions options) => options.Clients
        .Select(client => client.Name)
        .Concat(options.AllowAnonymous ? [Client.AnonymousName] : [])
        .ToFrozenSet(StringComparer.Ordinal);

    private static KeyValuePair<string, object?> ClientNamed(string label) => new("luma_gateway.client.name", label);

    private static KeyValuePair<string, object?> Because(RefusalReason reason) => new("luma_gateway.access.reason", NameOf(reason));

    private string LabelOf(string client) => client is Client.UnknownName || _named.Contains(client) ? client : OtherClients;
}
