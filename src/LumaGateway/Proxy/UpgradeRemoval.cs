using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Proxy;

/// <summary>
/// Removes a request's protocol upgrade (WebSockets and others), as RFC 9110, section 7.8, allows. Luma's API has no upgrades, and YARP would tunnel an upgraded
/// connection past all limits. Over HTTP/2 an upgrade is a CONNECT request (RFC 8441), which no route lists.
/// </summary>
internal static class UpgradeRemoval
{
    public static Task RemoveAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Set<IHttpUpgradeFeature>(null);
        context.Features.Set<IHttpExtendedConnectFeature>(null);
        context.Request.Headers.Remove(HeaderNames.Upgrade);
        return next(context);
    }
}
