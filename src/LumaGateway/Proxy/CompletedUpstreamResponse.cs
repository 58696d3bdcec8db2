using LumaGateway.Proxy.Idempotency;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Accepts a complete response that the upstream sent before it had received the whole body (RFC 9113, section 8.1), for example 413 or 429. YARP reports it as a failure of
/// the request body.
/// </summary>
internal static class CompletedUpstreamResponse
{
    public static async Task AcceptAsync(HttpContext context, Func<Task> next)
    {
        await next();
        if (context.Features.Get<IForwarderErrorFeature>() is { Error: ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient or ForwarderError.RequestBodyDestination } failure
            && failure.Exception is not AggregateException // YARP adds the failure of the response's body: the response is not complete
            && context.Features.Get<CreateOutcomeFeature>() is not null) // set when the response to a POST arrives
        {
            context.Features.Set<IForwarderErrorFeature>(null);
        }
    }
}
