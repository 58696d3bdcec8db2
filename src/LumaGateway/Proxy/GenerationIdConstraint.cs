using System.Globalization;
using LumaGateway.Contracts;

namespace LumaGateway.Proxy;

/// <summary><c>{id:generation}</c> in a route: what is no id never reaches the upstream's path.</summary>
internal sealed class GenerationIdConstraint : IRouteConstraint
{
    public const string Name = "generation";

    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        values.TryGetValue(routeKey, out var value) && GenerationId.TryParse(Convert.ToString(value, CultureInfo.InvariantCulture), null, out _);
}
