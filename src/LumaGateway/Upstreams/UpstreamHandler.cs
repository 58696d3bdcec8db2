using System.Diagnostics;
using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>Configures the connections to the upstream, for reads and for the proxy.</summary>
internal static class UpstreamHandler
{
    /// <param name="handler">The handler.</param>
    /// <param name="options">The upstream.</param>
    /// <param name="isTraced">Whether spans are exported.</param>
    public static void Configure(SocketsHttpHandler handler, LumaOptions options, bool isTraced)
    {
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5); // to follow DNS changes
        handler.PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1);
        handler.ConnectTimeout = options.AttemptTimeout;
        handler.MaxConnectionsPerServer = 256;
        handler.EnableMultipleHttp2Connections = true;
        handler.UseCookies = false;
        handler.UseProxy = true; // the proxy of https_proxy, http_proxy and no_proxy: YARP disables it by default
        handler.AllowAutoRedirect = false; // the token must not be sent to another address
        handler.AutomaticDecompression = DecompressionMethods.None; // YARP forwards bodies as they are; ContentDecoder decompresses the others
        handler.MaxResponseHeadersLength = 64; // KiB
        handler.RequestHeaderEncodingSelector = static (_, _) => HeaderBytes.Encoding;
        handler.ActivityHeadersPropagator = PropagatorOf(options, isTraced);
    }

    /// <summary>Null if spans of the requests are neither sent nor exported: the handler would create one for each request nevertheless.</summary>
    private static DistributedContextPropagator? PropagatorOf(LumaOptions options, bool isTraced) =>
        options.PropagateTrace ? new TraceParentPropagator()
        : isTraced ? DistributedContextPropagator.CreateNoOutputPropagator()
        : null;
}
