using System.Net;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>
/// Tells whether the response to a create refuses the account, and not the create: the create was not run, and another account may accept it. A 4xx about the body is no such refusal, and
/// neither is a 5xx. Pure.
/// </summary>
internal static class CreateRefusal
{
    /// <summary>The fault of the account; null if the response does not concern the account.</summary>
    public static UpstreamFault? Of(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => UpstreamFault.TokenRefused,
        HttpStatusCode.PaymentRequired => UpstreamFault.OutOfCredit,
        HttpStatusCode.TooManyRequests => UpstreamFault.Throttled,
        _ => null,
    };
}
