using LumaGateway.Access;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Proxy;

/// <summary>
/// Tells the check of ownership which routes under <c>/luma</c> have the id of a generation. A route with other parameters, or with the rest of the path, can return
/// any generation: the check refuses it.
/// </summary>
internal static class OwnedRoute
{
    private const string Generations = "/luma/generations";
    private const string Files = "/luma/files";

    public static void AddMetadata(IEndpointConventionBuilder endpoint, RouteConfig route)
    {
        var path = (route.Match.Path ?? "").TrimEnd('/');
        if (IsFile(path))
        {
            endpoint.WithMetadata(new WithoutOwner());
        }
        else if (HasOtherParameters(path))
        {
            endpoint.WithMetadata(new ListsAllOwners(ForEveryMethod: true));
        }
        else if (path.Equals(Generations, StringComparison.OrdinalIgnoreCase))
        {
            endpoint.WithMetadata(new ListsAllOwners(ForEveryMethod: false));
        }
    }

    /// <summary>Whether the path is that of the uploaded files, or below it. Its id is not the id of a generation.</summary>
    public static bool IsFile(string path) =>
        path.Equals(Files, StringComparison.OrdinalIgnoreCase) || path.StartsWith(Files + "/", StringComparison.OrdinalIgnoreCase);

    private static bool HasOtherParameters(string path) => path.Split('/').Any(static segment =>
        segment.Contains('{', StringComparison.Ordinal) && !segment.Equals("{id}", StringComparison.OrdinalIgnoreCase) && !segment.StartsWith("{id:", StringComparison.OrdinalIgnoreCase));
}
