using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Features.Passthrough;

/// <summary>Points the routes' cluster at <c>Luma:BaseAddress</c>: the upstream is named in one setting.</summary>
internal sealed class UpstreamCluster(IOptions<LumaOptions> luma, IOptions<PassthroughOptions> options) : IProxyConfigFilter
{
    /// <summary>Silence of the upstream after which a passthrough is given up; a create may take long to answer.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(100);

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => new(cluster with
    {
        Destinations = new Dictionary<string, DestinationConfig>
        {
            ["upstream"] = new() { Address = luma.Value.Root.AbsoluteUri },
        },
        HttpRequest = new ForwarderRequestConfig { ActivityTimeout = Silence },
    });

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel) => new(route with
    {
        MaxRequestBodySize = route.MaxRequestBodySize ?? options.Value.MaxRequestBytes,
    });
}
