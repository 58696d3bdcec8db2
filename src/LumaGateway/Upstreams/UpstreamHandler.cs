using System.Diagnostics;
using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>How connections to the upstream are made, for reads and for the passthrough alike.</summary>
internal static class UpstreamHandler
{
    public static void Configure(SocketsHttpHandler handler, LumaOptions options)
    {
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5); // so that a change in DNS is seen
        handler.PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1);
        handler.ConnectTimeout = options.AttemptTimeout;
        handler.MaxConnectionsPerServer = 256;
        handler.EnableMultipleHttp2Connections = true;
        handler.UseCookies = false;
        handler.UseProxy = true; // the one that https_proxy, http_proxy and no_proxy name, if any: YARP's own default is none
        handler.AllowAutoRedirect = false; // the token goes to no other address
        handler.AutomaticDecompression = DecompressionMethods.All;
        handler.MaxResponseHeadersLength = 64; // KiB
        handler.RequestHeaderEncodingSelector = static (_, _) => HeaderBytes.Encoding;
        handler.ActivityHeadersPropagator = options.PropagateTrace
            ? new TraceParentPropagator()
            : DistributedContextPropagator.CreateNoOutputPropagator();
    }
}
