using LumaGateway.Problems;

namespace LumaGateway.Hosting;

/// <summary>
/// Refuses requests that Kestrel accepts although RFC 9112 calls them invalid, and that a proxy in front may read differently. No HTTP client sends them. Must be before the cache, which
/// responds without the rest of the pipeline.
/// </summary>
internal static class StrictRequests
{
    /// <summary>Kestrel moves the <c>Content-Length</c> of a chunked request to this name.</summary>
    private const string IgnoredLength = "X-Content-Length";

    public static IApplicationBuilder UseStrictRequests(this IApplicationBuilder app) => app.Use(static next => context => FaultOf(context.Request) is { } fault ? RefuseAsync(context, fault) : next(context));

    /// <summary>Returns null if the request is accepted. Looks up few headers, and allocates nothing.</summary>
    private static string? FaultOf(HttpRequest request) =>
        request.Headers.TransferEncoding.Count > 0 && request.Headers.ContainsKey(IgnoredLength) ? "The request has Content-Length and Transfer-Encoding." // section 6.1: request smuggling
        : HttpProtocol.IsHttp11(request.Protocol) && !request.Host.HasValue ? "The Host header is empty." // section 3.2: an http URI has a host
        : null;

    private static Task RefuseAsync(HttpContext context, string fault)
    {
        context.Response.Headers.Connection = "close"; // the next bytes of the connection may belong to this request
        return ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, fault);
    }
}
