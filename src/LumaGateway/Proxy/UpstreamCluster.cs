using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Points the routes' cluster at <c>Luma:BaseAddress</c>: the upstream is named in one setting. Throws for a route that YARP would take in and then fail
/// with, so that it refuses the whole list, and at run time keeps the one before.
/// </summary>
internal sealed class UpstreamCluster(IOptions<LumaOptions> luma, IOptions<PassthroughOptions> options, ParameterPolicyFactory constraints) : IProxyConfigFilter
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

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        if (cluster is null)
        {
            throw new InvalidOperationException($"The route '{route.RouteId}' names no cluster that there is.");
        }

        if (RoutePermission.FaultOf(route) is { } fault)
        {
            throw new InvalidOperationException($"The route '{route.RouteId}': {fault}");
        }

        RequireConstraints(RoutePatternFactory.Parse(route.Match.Path ?? string.Empty));
        return new(route with { MaxRequestBodySize = route.MaxRequestBodySize ?? options.Value.MaxRequestBytes });
    }

    /// <summary>A constraint that nobody knows would throw at every request, whatever its route.</summary>
    private void RequireConstraints(RoutePattern pattern)
    {
        foreach (var (name, references) in pattern.ParameterPolicies)
        {
            foreach (var reference in references)
            {
                constraints.Create(pattern.GetParameter(name), reference);
            }
        }
    }
}
