using System.Buffers;
using LumaGateway.Problems;

namespace LumaGateway.Proxy;

/// <summary>
/// Lets only paths through that mean the same to every server: no encoded slash, backslash, dot segment or line break, which an upstream could
/// take for more than one segment of a route that was allowed.
/// </summary>
internal static class PlainPath
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./~");

    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value ?? "";
        return path.AsSpan().ContainsAnyExcept(Plain) || path.Contains("..", StringComparison.Ordinal)
            ? ProblemWriter.WriteAsync(context, ProblemKinds.InvalidId)
            : next(context);
    }
}
