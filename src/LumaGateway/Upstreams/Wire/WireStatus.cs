using System.Net;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Maps an upstream's HTTP status to a fault. Only 200 means success.</summary>
internal static class WireStatus
{
    /// <summary>Throws for every status except 200.</summary>
    public static void RequireOk(HttpStatusCode status)
    {
        if (FaultOf(status) is { } fault)
        {
            throw ExceptionFor(fault, status);
        }
    }

    /// <summary>Returns null for 200.</summary>
    public static UpstreamFault? FaultOf(HttpStatusCode status) => (int)status switch
    {
        200 => null,
        401 or 403 => UpstreamFault.TokenRefused,
        402 => UpstreamFault.OutOfCredit,
        404 => UpstreamFault.NotFound,
        429 => UpstreamFault.Throttled,
        408 or 425 or (>= 500 and <= 599) => UpstreamFault.Failed, // another attempt may succeed
        _ => UpstreamFault.Rejected,
    };

    /// <summary>Creates an exception with the status and without the body.</summary>
    public static UpstreamException ExceptionFor(UpstreamFault fault, HttpStatusCode status) =>
        new(fault, $"The upstream responded with {(int)status}.");
}
