using LumaGateway.Access;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Proxy;

/// <summary>
/// The right that a route names in its settings, <c>ReverseProxy:Routes:&lt;id&gt;:Metadata:Right</c>: its unsafe methods ask for it, beside <c>raw</c>, in the
/// place of <c>create</c> and <c>delete</c>.
/// </summary>
internal static class RoutePermission
{
    private const string Name = "Right";

    /// <summary>Null where the route names none, or none that there is.</summary>
    public static Rights? Of(RouteConfig route) => TextOf(route) is { } text && PermissionNames.TryParse(text, out var right) ? right : null;

    /// <summary>What is wrong with it in words, beginning with its key below the route's; or null.</summary>
    public static string? FaultOf(RouteConfig route) => TextOf(route) is { } text && !PermissionNames.TryParse(text, out _)
        ? $"Metadata:{Name} '{text}' is no right; the rights are {PermissionNames.All}."
        : null;

    private static string? TextOf(RouteConfig route) => route.Metadata is { } metadata && metadata.TryGetValue(Name, out var text) ? text : null;
}
