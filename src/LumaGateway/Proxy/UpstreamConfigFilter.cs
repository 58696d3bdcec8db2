using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Sets the destination of every cluster to the first account. With several accounts <see cref="UpstreamTransformProvider"/> sets the address of each request. Throws for an invalid route that YARP itself would accept and fail with later. YARP then
/// rejects the whole configuration and keeps the previous one.
/// </summary>
internal sealed class UpstreamConfigFilter(UpstreamAccounts accounts, IOptions<PassthroughOptions> options, ParameterPolicyFactory constraints) : IProxyConfigFilter
{
    /// <summary>How long a forwarded request may be inactive; the upstream may respond late to a create.</summary>
    public static readonly TimeSpan ActivityTimeout = TimeSpan.FromSeconds(100);

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => new(cluster with
    {
        Destinations = new Dictionary<string, DestinationConfig>
        {
            ["upstream"] = new() { Address = accounts.First.Root.AbsoluteUri },
        },
        HttpRequest = new ForwarderRequestConfig { ActivityTimeout = ActivityTimeout },
    });

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        if (cluster is null)
        {
            throw new InvalidOperationException($"The route '{route.RouteId}' names an unknown cluster.");
        }

        if (RouteRules.FaultsOf(route).FirstOrDefault() is { } fault)
        {
            throw new InvalidOperationException($"The route '{route.RouteId}': {fault}");
        }

        ThrowForUnknownConstraint(RoutePatternFactory.Parse(route.Match.Path ?? string.Empty));
        return new(route with { MaxRequestBodySize = route.MaxRequestBodySize ?? options.Value.MaxBodyBytes });
    }

    /// <summary>An unknown constraint would make every request throw, not only those of its route.</summary>
    private void ThrowForUnknownConstraint(RoutePattern pattern)
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
