using System.Net;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>What an upstream's HTTP status means: 200 alone is an answer.</summary>
internal static class WireStatus
{
    /// <summary>Refuses every status but 200, as the fault that it means.</summary>
    public static void RequireOk(HttpStatusCode status)
    {
        if (FaultOf(status) is { } fault)
        {
            throw RefusalReason(fault, status);
        }
    }

    /// <summary>The fault that a status means; null for 200.</summary>
    public static UpstreamFault? FaultOf(HttpStatusCode status) => (int)status switch
    {
        200 => null,
        401 or 403 => UpstreamFault.TokenRefused,
        402 => UpstreamFault.OutOfCredit,
        404 => UpstreamFault.NotFound,
        429 => UpstreamFault.Throttled,
        408 or 425 or (>= 500 and <= 599) => UpstreamFault.Failed, // worth another try
        _ => UpstreamFault.Rejected,
    };

    /// <summary>The exception for a refused answer: it names the status and nothing of the body.</summary>
    public static UpstreamException RefusalReason(UpstreamFault fault, HttpStatusCode status) =>
        new(fault, $"The upstream answered {(int)status}.");
}
