using System.Globalization;
using LumaGateway.Contracts;

namespace LumaGateway.Proxy;

/// <summary>The route constraint <c>{id:generation}</c>: only valid generation ids become part of the upstream's path.</summary>
internal sealed class GenerationIdConstraint : IRouteConstraint
{
    public const string Name = "generation";

    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        values.TryGetValue(routeKey, out var value) && GenerationId.TryParse(Convert.ToString(value, CultureInfo.InvariantCulture), null, out _);
}
