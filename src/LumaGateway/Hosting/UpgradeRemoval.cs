using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Hosting;

/// <summary>
/// Removes a request's protocol upgrade (WebSockets and others), as RFC 9110, section 7.8, allows. No upstream has upgrades. YARP would tunnel an upgraded connection past
/// all limits, and send the caller's header to the upstream or the CDN. Over HTTP/2 an upgrade is a CONNECT request (RFC 8441), which no route lists.
/// </summary>
internal static class UpgradeRemoval
{
    public static IApplicationBuilder UseUpgradeRemoval(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        context.Features.Set<IHttpUpgradeFeature>(null);
        context.Features.Set<IHttpExtendedConnectFeature>(null);
        context.Request.Headers.Remove(HeaderNames.Upgrade);
        return next(context);
    });
}
