using LumaGateway.Proxy.Idempotency;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// An upstream may respond before it has received the whole body, and end the transfer of the body (RFC 9113, section 8.1), for example with 413 or 429. YARP passes the
/// complete response on, but reports a failure of the request's body. The response counts.
/// </summary>
internal static class EarlyResponse
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
