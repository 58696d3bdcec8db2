using LumaGateway.Problems;
using LumaGateway.Upstreams;

namespace LumaGateway.Hosting;

/// <summary>Sends the probe of the configured dialect. If the response is not recognized, sends the probes of the other dialects to find the right one.</summary>
internal sealed class UpstreamCheck(
    UpstreamClient upstream, UpstreamDialect dialect, IReadOnlyList<IUpstreamDialect> dialects) : IConnectionCheck
{
    private const string RequestId = "check";

    public string Name => "upstream";

    public async Task<ConnectionCheckResult> CheckAsync()
    {
        var configured = dialect.Configured;
        try
        {
            var result = await ProbeAsync(configured);
            if (result.IsRecognized is true)
            {
                return new(ConnectionStatus.Ok, $"Responds at Luma:BaseAddress in the dialect {configured.Name} and accepts the token.");
            }

            if (await FindOtherDialectAsync(configured, isUncertain: result.IsRecognized is null) is { } other)
            {
                return new(ConnectionStatus.Failed, $"Responds at Luma:BaseAddress in the dialect {other}, not {configured.Name}: check Luma:Dialect.");
            }

            return result.IsRecognized is null
                ? new(
                    ConnectionStatus.Uncertain,
                    $"Responds at Luma:BaseAddress and accepts the token, but the response ({result.Description}) may come from {configured.Name} or from another API.")
                : new(
                    ConnectionStatus.Failed,
                    $"Responds at Luma:BaseAddress, but not in the dialect {configured.Name} ({result.Description}): check the path and version in Luma:BaseAddress, and Luma:Dialect.");
        }
        catch (UpstreamException exception)
        {
            return ResultOf(exception, configured);
        }
    }

    private static ConnectionCheckResult ResultOf(UpstreamException exception, IUpstreamDialect configured) => exception.Fault switch
    {
        UpstreamFault.TokenRefused => new(
            ConnectionStatus.Failed,
            $"Rejects the token of Luma:ApiKey or Luma:ApiKeyFile, sent in the header {configured.Credential(string.Empty).Name} as Luma:Dialect {configured.Name} requires."),
        UpstreamFault.OutOfCredit => new(ConnectionStatus.Failed, "Accepts the token, but the account is out of credit."),
        UpstreamFault.Throttled => new(ConnectionStatus.Uncertain, "Responds at Luma:BaseAddress, but throttles requests: the token and the dialect were not checked."),
        UpstreamFault.Unreachable => new(ConnectionStatus.Failed, $"Cannot be reached at Luma:BaseAddress. {exception.Message}"),
        UpstreamFault.TimedOut => new(ConnectionStatus.Failed, "Does not respond at Luma:BaseAddress within Luma:Deadline."),
        UpstreamFault.Malformed => new(
            ConnectionStatus.Failed,
            $"Responds at Luma:BaseAddress, but not in the dialect {configured.Name}: check the path and version in Luma:BaseAddress, and Luma:Dialect."),
        _ => new(ConnectionStatus.Failed, $"Responds at Luma:BaseAddress, but fails: {exception.Fault}."),
    };

    /// <summary>Returns the dialect whose probe is recognized. After an uncertain result, skips dialects with the same probe: it cannot tell them apart.</summary>
    private async Task<string?> FindOtherDialectAsync(IUpstreamDialect configured, bool isUncertain)
    {
        var path = DialectProbe.Of(configured).Path;
        foreach (var other in dialects.Where(other => other.Name != configured.Name && !(isUncertain && DialectProbe.Of(other).Path == path)))
        {
            try
            {
                if ((await ProbeAsync(other)).IsRecognized is true)
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

    private async Task<ProbeResult> ProbeAsync(IUpstreamDialect probed)
    {
        using var deadline = upstream.StartDeadline();
        return await upstream.ProbeAsync(DialectProbe.Of(probed), RequestId, deadline);
    }
}
