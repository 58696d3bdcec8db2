using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>
/// Whether the upstream accepts one of the gateway's accounts. Logs a change once, regardless of the number of rejected requests. Thread-safe.
/// </summary>
internal sealed partial class UpstreamAccountState(string account, UpstreamState state, ILogger<UpstreamAccountState> logger)
{
    public void MarkRefused(UpstreamFault fault)
    {
        if (state.SetAccountRefused(true))
        {
            Log.Refused(logger, account, fault);
        }
    }

    public void MarkAccepted()
    {
        if (state.SetAccountRefused(false))
        {
            Log.Accepted(logger, account);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3021, LogLevel.Error, "The upstream rejects the gateway's account {Account}: {Fault}. Renew its token (ApiKey, ApiKeyFile) or its credit.")]
        public static partial void Refused(ILogger logger, string account, UpstreamFault fault);

        [LoggerMessage(3022, LogLevel.Information, "The upstream accepts the gateway's account {Account} again.")]
        public static partial void Accepted(ILogger logger, string account);
    }
}
