using LumaGateway.Access;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Proxy;

/// <summary>
/// The permission in a route's metadata, <c>ReverseProxy:Routes:&lt;id&gt;:Metadata:Permission</c>. The route's unsafe methods require it and <c>raw</c>; it replaces
/// <c>create</c> and <c>delete</c>.
/// </summary>
internal static class RoutePermission
{
    private const string Name = "Permission";

    /// <summary>Returns what the route's endpoint requires.</summary>
    public static RequiredPermission RequiredBy(RouteConfig route) =>
        new(Permissions.Raw, ForPost: Of(route) ?? Permissions.Create, ForDelete: Of(route) ?? Permissions.Delete);

    /// <summary>Returns null if the route names no permission, or an unknown one.</summary>
    private static Permissions? Of(RouteConfig route) => TextOf(route) is { } text && PermissionNames.TryParse(text, out var permission) ? permission : null;

    /// <summary>Returns null, or an error text that starts with the setting's key below the route.</summary>
    public static string? FaultOf(RouteConfig route) => TextOf(route) is { } text && !PermissionNames.TryParse(text, out _)
        ? $"Metadata:{Name} '{text}' is not a permission; the permissions are {PermissionNames.All}."
        : null;

    private static string? TextOf(RouteConfig route) => route.Metadata is { } metadata && metadata.TryGetValue(Name, out var text) ? text : null;
}
