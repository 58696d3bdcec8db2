namespace LumaGateway.Proxy;

/// <summary>
/// Responds to <c>TRACE</c> with 405 on a route that lists no methods: an upstream would send back the request as it received it, with the gateway's token (RFC 9110, section
/// 9.3.8).
/// </summary>
internal static class TraceCheck
{
    private const string OtherMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (!HttpMethods.IsTrace(context.Request.Method))
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        context.Response.Headers.Allow = OtherMethods;
        return Task.CompletedTask;
    }
}
