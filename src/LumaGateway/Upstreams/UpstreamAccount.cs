using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>
/// Whether the upstream accepts the gateway's own account. Said once when that changes, however many reads are refused; each refusal is counted
/// elsewhere. Thread-safe.
/// </summary>
internal sealed partial class UpstreamAccount(UpstreamMetrics metrics, ILogger<UpstreamAccount> logger)
{
    public void IsRefused(UpstreamFault why)
    {
        if (metrics.AccountIs(refused: true))
        {
            Log.Refused(logger, why);
        }
    }

    public void IsAccepted()
    {
        if (metrics.AccountIs(refused: false))
        {
            Log.Accepted(logger);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3021, LogLevel.Error, "The upstream refuses the gateway's own account: {Fault}. Callers cannot mend this; the token or the credit must be renewed.")]
        public static partial void Refused(ILogger logger, UpstreamFault fault);

        [LoggerMessage(3022, LogLevel.Information, "The upstream accepts the gateway's account again.")]
        public static partial void Accepted(ILogger logger);
    }
}
