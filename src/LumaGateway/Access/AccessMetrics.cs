using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>
/// What is counted of clients. They are named as the settings name them; all others, known from JWTs alone, share one name, since whoever makes
/// tokens could make any number of names. Thread-safe; follows changes of the settings.
/// </summary>
internal sealed class AccessMetrics : ISeries, IDisposable
{
    /// <summary>The name of all clients that the settings do not name.</summary>
    public const string Others = "other";

    private readonly Counter<long> _admitted;
    private readonly Counter<long> _refused;
    private readonly IDisposable? _subscription;
    private volatile FrozenSet<string> _named;

    public AccessMetrics(IMeterFactory meters, ClientLimiters allowances, IOptionsMonitor<AccessOptions> options)
    {
        var meter = meters.Create(Instrumentation.Name);
        _admitted = meter.CreateCounter<long>("luma_gateway.access.admitted", "{request}", "Requests let in, by client.");
        _refused = meter.CreateCounter<long>("luma_gateway.access.refused", "{request}", "Requests refused before anything was done for them, by client and reason.");
        meter.CreateObservableGauge("luma_gateway.access.active", () => allowances.Present, "{request}", "Requests of clients under way, callers that wait not counted.");
        _named = NamesIn(options.CurrentValue);
        _subscription = options.OnChange(changed =>
        {
            _named = NamesIn(changed);
            Begin();
        });
    }

    public void Begin()
    {
        foreach (var client in _named)
        {
            _admitted.Add(0, ClientNamed(client));
            foreach (var reason in (RefusalReason[])[RefusalReason.MissingRight, RefusalReason.TooManyASecond, RefusalReason.TooManyAtOnce])
            {
                _refused.Add(0, ClientNamed(client), Because(reason));
            }
        }

        foreach (var reason in (RefusalReason[])[RefusalReason.NoCredential, RefusalReason.UnknownKey, RefusalReason.InvalidToken, RefusalReason.TokenTooLarge, RefusalReason.IssuerUnavailable])
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
        RefusalReason.IssuerUnavailable => "issuer_unavailable",
        RefusalReason.MissingRight => "missing_right",
        RefusalReason.TooManyASecond => "too_many_a_second",
        RefusalReason.TooManyAtOnce => "too_many_at_once",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };

    private static FrozenSet<string> NamesIn(AccessOptions options) => options.Clients
        .Select(client => client.Name)
        .Concat(options.AllowAnonymous ? [Client.AnonymousName] : [])
        .ToFrozenSet(StringComparer.Ordinal);

    private static KeyValuePair<string, object?> ClientNamed(string label) => new("luma_gateway.client.name", label);

    private static KeyValuePair<string, object?> Because(RefusalReason reason) => new("luma_gateway.access.reason", NameOf(reason));

    private string LabelOf(string client) => client is Client.UnknownName || _named.Contains(client) ? client : Others;
}
