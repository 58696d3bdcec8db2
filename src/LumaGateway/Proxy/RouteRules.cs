using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Proxy;

/// <summary>
/// The rules for a route of <c>ReverseProxy:Routes</c> beyond those of YARP. The gateway has no middleware for policies of ASP.NET Core: without a rule, every
/// request of such a route would fail, or the policy would have no effect.
/// </summary>
internal static class RouteRules
{
    /// <summary>Returns an error text for each fault, which starts with the setting's key below the route.</summary>
    public static IEnumerable<string> FaultsOf(RouteConfig route)
    {
        if (RoutePermission.FaultOf(route) is { } fault)
        {
            yield return fault;
        }

        if (route.AuthorizationPolicy is not null)
        {
            yield return $"{nameof(route.AuthorizationPolicy)} is not supported. Name a permission in Metadata:Permission.";
        }

        (string Key, bool IsSet)[] unsupported =
        [
            (nameof(route.CorsPolicy), route.CorsPolicy is not null),
            (nameof(route.RateLimiterPolicy), route.RateLimiterPolicy is not null),
            (nameof(route.OutputCachePolicy), route.OutputCachePolicy is not null),
            (nameof(route.TimeoutPolicy), route.TimeoutPolicy is not null),
            (nameof(route.Timeout), route.Timeout is not null),
        ];
        foreach (var (key, _) in unsupported.Where(static setting => setting.IsSet))
        {
            yield return $"{key} is not supported.";
        }
    }
}
