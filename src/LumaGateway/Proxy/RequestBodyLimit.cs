using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Model;

namespace LumaGateway.Proxy;

/// <summary>
/// The largest request body of a route. YARP sets it when it forwards, which is too late for a middleware that reads the body: until then the smaller
/// <c>Server:MaxBodyBytes</c> applies.
/// </summary>
internal static class RequestBodyLimit
{
    /// <summary>Must be called before the body is read.</summary>
    public static void Apply(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit && OfRoute(context) is { } bytes)
        {
            limit.MaxRequestBodySize = bytes < 0 ? null : bytes;
        }
    }

    /// <summary>In bytes; negative if the route has no limit; null without a route.</summary>
    public static long? OfRoute(HttpContext context) => context.Features.Get<IReverseProxyFeature>()?.Route.Config.MaxRequestBodySize;
}
