using System.Net;
using LumaGateway.Problems;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>What is known of a create once it is over. The set is closed: it is a metric's attribute.</summary>
internal enum CreateOutcome
{
    /// <summary>The upstream gave the answer that every repetition must get: it was done, or the request itself is wrong.</summary>
    Settled,

    /// <summary>Nothing was done; asking again is safe.</summary>
    Refused,

    /// <summary>It may have been done, and billed: it must not be repeated.</summary>
    Unknown,
}

/// <summary>Tells outcomes apart. In doubt a create may have been done. Pure.</summary>
internal static class CreateOutcomes
{
    /// <param name="answer">What the upstream answered.</param>
    public static CreateOutcome Of(HttpResponseMessage answer) => (int)answer.StatusCode switch
    {
        >= 200 and < 300 or 400 or 422 => CreateOutcome.Settled,
        _ when Says(answer) is { } retry => retry ? CreateOutcome.Refused : CreateOutcome.Unknown,
        408 => CreateOutcome.Unknown,
        < 500 => CreateOutcome.Refused,
        503 when answer.Headers.RetryAfter is not null => CreateOutcome.Refused, // it says when it will take it
        _ => CreateOutcome.Unknown,
    };

    /// <param name="failure">Why there is no whole answer.</param>
    /// <param name="sending">How far the request got; null where it is not known.</param>
    public static CreateOutcome Of(IForwarderErrorFeature failure, SendProgress? sending) => failure.Error switch
    {
        _ when sending is { HasBegun: false } => CreateOutcome.Refused, // whatever went wrong: the upstream has no request
        _ when failure.Exception is UpstreamException { Fault: UpstreamFault.Saturated } => CreateOutcome.Refused, // it got no place to be sent from
        ForwarderError.RequestCreation or ForwarderError.NoAvailableDestinations => CreateOutcome.Refused,
        ForwarderError.RequestBodyClient => CreateOutcome.Refused, // the upstream never got it whole
        ForwarderError.Request when failure.Exception is HttpRequestException { HttpRequestError: var error } && IsBeforeSending(error) => CreateOutcome.Refused,
        _ => CreateOutcome.Unknown,
    };

    private static bool IsBeforeSending(HttpRequestError error) => error is
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError
        or HttpRequestError.ProxyTunnelError or HttpRequestError.VersionNegotiationError;

    /// <summary>Luma's SDKs obey this header, so an upstream that sends it means it.</summary>
    private static bool? Says(HttpResponseMessage answer) =>
        answer.StatusCode >= HttpStatusCode.InternalServerError && answer.Headers.TryGetValues(ShouldRetry.Header, out var values)
            ? bool.TryParse(values.First(), out var retry) ? retry : null
            : null;
}
