using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>
/// Whether the upstream accepts the gateway's account. Logs a change once, regardless of the number of rejected requests. Thread-safe.
/// </summary>
internal sealed partial class UpstreamAccountState(UpstreamState state, ILogger<UpstreamAccountState> logger)
{
    public void MarkRefused(UpstreamFault fault)
    {
        if (state.SetAccountRefused(true))
        {
            Log.Refused(logger, fault);
        }
    }

    public void MarkAccepted()
    {
        if (state.SetAccountRefused(false))
        {
            Log.Accepted(logger);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3021, LogLevel.Error, "The upstream rejects the gateway's account: {Fault}. Renew the token (Luma:ApiKey, Luma:ApiKeyFile) or the credit.")]
        public static partial void Refused(ILogger logger, UpstreamFault fault);

        [LoggerMessage(3022, LogLevel.Information, "The upstream accepts the gateway's account again.")]
        public static partial void Accepted(ILogger logger);
    }
}
