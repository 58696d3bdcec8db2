using System.Diagnostics;
using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>Configures the connections to the upstream, for reads and for the proxy.</summary>
internal static class UpstreamHandler
{
    public static void Configure(SocketsHttpHandler handler, LumaOptions options)
    {
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5); // to follow DNS changes
        handler.PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1);
        handler.ConnectTimeout = options.AttemptTimeout;
        handler.MaxConnectionsPerServer = 256;
        handler.EnableMultipleHttp2Connections = true;
        handler.UseCookies = false;
        handler.UseProxy = true; // the proxy of https_proxy, http_proxy and no_proxy: YARP disables it by default
        handler.AllowAutoRedirect = false; // the token must not be sent to another address
        handler.AutomaticDecompression = DecompressionMethods.All;
        handler.MaxResponseHeadersLength = 64; // KiB
        handler.RequestHeaderEncodingSelector = static (_, _) => HeaderBytes.Encoding;
        handler.ActivityHeadersPropagator = options.PropagateTrace
            ? new TraceParentPropagator()
            : DistributedContextPropagator.CreateNoOutputPropagator();
    }
}
