using System.Net;
using LumaGateway.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>The outcome of a create. A metric attribute: the set is closed.</summary>
internal enum CreateOutcome
{
    /// <summary>Every repetition must get the same response: the upstream created the generation, or the request itself is invalid.</summary>
    Settled,

    /// <summary>The upstream created nothing; a retry is safe.</summary>
    Refused,

    /// <summary>The upstream may have created and billed the generation; a retry is not safe.</summary>
    Unknown,
}

/// <summary>Determines the outcome of a create. If in doubt, the outcome is unknown.</summary>
internal static class CreateOutcomes
{
    /// <summary>The outcome of a create that was forwarded without an exception.</summary>
    public static CreateOutcome Of(HttpContext context) => context.Features.Get<IForwarderErrorFeature>() is { } failure
        ? FromFailure(failure, context.Features.Get<SendProgress>())
        : context.Features.Get<CreateOutcomeFeature>()?.Outcome ?? CreateOutcome.Refused; // no upstream response: the create was not sent

    /// <summary>Whether the upstream may have run a create that ended with an exception: its outcome says so, or without one, a byte of it may have been sent.</summary>
    public static bool MayHaveRun(HttpContext context) => context.Features.Get<CreateOutcomeFeature>() is { } known
        ? known.Outcome is not CreateOutcome.Refused
        : context.Features.Get<SendProgress>() is { HasStarted: true };

    /// <param name="response">The upstream's response.</param>
    public static CreateOutcome FromResponse(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        >= 200 and < 300 or 400 or 422 => CreateOutcome.Settled,
        _ when ReadShouldRetry(response) is { } shouldRetry => shouldRetry ? CreateOutcome.Refused : CreateOutcome.Unknown,
        408 => CreateOutcome.Unknown,
        < 500 => CreateOutcome.Refused,
        503 when response.Headers.RetryAfter is not null => CreateOutcome.Refused, // the upstream asks for a retry
        _ => CreateOutcome.Unknown,
    };

    /// <param name="failure">The forwarder's error.</param>
    /// <param name="progress">Whether sending has started; null if that is not known.</param>
    public static CreateOutcome FromFailure(IForwarderErrorFeature failure, SendProgress? progress) => failure.Error switch
    {
        _ when progress is { HasStarted: false } => CreateOutcome.Refused,
        ForwarderError.RequestCreation => CreateOutcome.Refused,
        ForwarderError.RequestBodyClient => CreateOutcome.Refused, // the upstream received an incomplete body
        ForwarderError.Request when failure.Exception is HttpRequestException { HttpRequestError: var error } && IsBeforeSending(error) => CreateOutcome.Refused,
        _ => CreateOutcome.Unknown,
    };

    private static bool IsBeforeSending(HttpRequestError error) => error is
        HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError
        or HttpRequestError.ProxyTunnelError or HttpRequestError.VersionNegotiationError;

    /// <summary>The header <c>x-should-retry</c> of a 5xx response; null if it is missing or invalid. Luma's SDKs obey it, so the upstream's value is trusted.</summary>
    private static bool? ReadShouldRetry(HttpResponseMessage response) =>
        response.StatusCode >= HttpStatusCode.InternalServerError && response.Headers.TryGetValues(ShouldRetryHeader.Name, out var values)
            ? bool.TryParse(values.First(), out var shouldRetry) ? shouldRetry : null
            : null;
}
