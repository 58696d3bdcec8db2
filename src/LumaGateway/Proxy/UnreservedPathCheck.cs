using System.Buffers;
using LumaGateway.Problems;

namespace LumaGateway.Proxy;

/// <summary>
/// Rejects a path that holds more than the unreserved characters of RFC 3986, '/' and '='. An encoded slash, a backslash or a dot segment could turn an allowed route
/// into another path at the upstream.
/// </summary>
internal static class UnreservedPathCheck
{
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./~=");

    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value ?? "";
        return path.AsSpan().ContainsAnyExcept(Allowed) || HasDotSegment(path)
            ? ProblemWriter.WriteAsync(context, ProblemKinds.InvalidId)
            : next(context);
    }

    private static bool HasDotSegment(ReadOnlySpan<char> path)
    {
        foreach (var segment in path.Split('/'))
        {
            if (path[segment] is "." or "..")
            {
                return true;
            }
        }

        return false;
    }
}
