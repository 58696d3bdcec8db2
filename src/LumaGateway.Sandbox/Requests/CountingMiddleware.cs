namespace LumaGateway.Sandbox.Requests;

/// <summary>Counts a request before any other middleware rejects, delays or changes it.</summary>
internal sealed class CountingMiddleware(RequestDelegate next, RequestLog log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        log.RecordArrival(context.Request, context.Request.RouteValues["id"] as string);
        try
        {
            await next(context);
        }
        finally
        {
            log.RecordEnd();
        }
    }
}
