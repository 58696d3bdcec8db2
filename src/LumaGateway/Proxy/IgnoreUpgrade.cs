using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Proxy;

/// <summary>
/// Ignores a request's wish for another protocol, WebSockets among them, as RFC 9110, section 7.8, allows: Luma's API has none, and a connection that
/// was upgraded would be a tunnel that no limit sees. Over HTTP/2 the wish is a CONNECT (RFC 8441), which no route lists.
/// </summary>
internal static class IgnoreUpgrade
{
    public static Task PassAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Set<IHttpUpgradeFeature>(null);
        context.Features.Set<IHttpExtendedConnectFeature>(null);
        context.Request.Headers.Remove(HeaderNames.Upgrade);
        return next(context);
    }
}
