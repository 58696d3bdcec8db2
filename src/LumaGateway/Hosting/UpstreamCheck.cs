using LumaGateway.Problems;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Sends the probe of each account's dialect. If the response is not recognized, sends the probes of the other dialects to find the right one. The result is that of the worst account.
/// </summary>
internal sealed class UpstreamCheck(UpstreamAccounts accounts, IReadOnlyList<IUpstreamDialect> dialects, IOptions<LumaOptions> luma) : IConnectionCheck
{
    private const string RequestId = "check";

    public string Name => "upstream";

    public async Task<ConnectionCheckResult> CheckAsync()
    {
        if (luma.Value.Accounts.Count == 0)
        {
            return await CheckAsync(accounts.First, LumaOptions.Section);
        }

        var results = new List<ConnectionCheckResult>();
        foreach (var account in accounts.All)
        {
            var (status, message) = await CheckAsync(account, $"Luma:Accounts:{results.Count}");
            results.Add(new(status, $"{account.Name}: {message}"));
        }

        return new(results.MaxBy(static result => Severity(result.Status)).Status, string.Join(' ', results.Select(static result => result.Message)));
    }

    private static int Severity(ConnectionStatus status) => status switch
    {
        ConnectionStatus.Failed => 2,
        ConnectionStatus.Uncertain => 1,
        _ => 0,
    };

    /// <param name="account">The account.</param>
    /// <param name="section">The section of its settings, for the message.</param>
    private async Task<ConnectionCheckResult> CheckAsync(UpstreamAccount account, string section)
    {
        var configured = account.Dialect;
        try
        {
            var result = await ProbeAsync(account, configured);
            if (result.IsRecognized is true)
            {
                return new(ConnectionStatus.Ok, $"Responds at {section}:BaseAddress in the dialect {configured.Name} and accepts the token.");
            }

            if (await FindOtherDialectAsync(account, isUncertain: result.IsRecognized is null) is { } other)
            {
                return new(ConnectionStatus.Failed, $"Responds at {section}:BaseAddress in the dialect {other}, not {configured.Name}: check {section}:Dialect.");
            }

            return result.IsRecognized is null
                ? new(
                    ConnectionStatus.Uncertain,
                    $"Responds at {section}:BaseAddress and accepts the token, but the response ({result.Description}) may come from {configured.Name} or from another API.")
                : new(
                    ConnectionStatus.Failed,
                    $"Responds at {section}:BaseAddress, but not in the dialect {configured.Name} ({result.Description}): check the path and version in {section}:BaseAddress, and {section}:Dialect.");
        }
        catch (UpstreamException exception)
        {
            return ResultOf(exception, configured, section);
        }
    }

    private static ConnectionCheckResult ResultOf(UpstreamException exception, IUpstreamDialect configured, string section) => exception.Fault switch
    {
        UpstreamFault.TokenRefused => new(
            ConnectionStatus.Failed,
            $"Rejects the token of {section}:ApiKey or {section}:ApiKeyFile, sent in the header {configured.Credential(string.Empty).Name} as {section}:Dialect {configured.Name} requires."),
        UpstreamFault.OutOfCredit => new(ConnectionStatus.Failed, "Accepts the token, but the account is out of credit."),
        UpstreamFault.Throttled => new(ConnectionStatus.Uncertain, $"Responds at {section}:BaseAddress, but throttles requests: the token and the dialect were not checked."),
        UpstreamFault.Unreachable => new(ConnectionStatus.Failed, $"Cannot be reached at {section}:BaseAddress. {exception.Message}"),
        UpstreamFault.TimedOut => new(ConnectionStatus.Failed, $"Does not respond at {section}:BaseAddress within Luma:Deadline."),
        UpstreamFault.Malformed => new(
            ConnectionStatus.Failed,
            $"Responds at {section}:BaseAddress, but not in the dialect {configured.Name}: check the path and version in {section}:BaseAddress, and {section}:Dialect."),
        _ => new(ConnectionStatus.Failed, $"Responds at {section}:BaseAddress, but fails: {exception.Fault}."),
    };

    /// <summary>Returns the dialect whose probe is recognized. After an uncertain result, skips dialects with the same probe: it cannot tell them apart.</summary>
    private async Task<string?> FindOtherDialectAsync(UpstreamAccount account, bool isUncertain)
    {
        var configured = account.Dialect;
        var path = DialectProbe.Of(configured).Path;
        foreach (var other in dialects.Where(other => other.Name != configured.Name && !(isUncertain && DialectProbe.Of(other).Path == path)))
        {
            try
            {
                if ((await ProbeAsync(account, other)).IsRecognized is true)
                {
                    return other.Name;
                }
            }
            catch (UpstreamException)
            {
                // A failed probe rules out this dialect only.
            }
        }

        return null;
    }

    private static async Task<ProbeResult> ProbeAsync(UpstreamAccount account, IUpstreamDialect probed)
    {
        using var deadline = account.Client.StartDeadline();
        return await account.Client.ProbeAsync(DialectProbe.Of(probed), RequestId, deadline);
    }
}
