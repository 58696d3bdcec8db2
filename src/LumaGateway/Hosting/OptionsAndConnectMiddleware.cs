using Microsoft.Net.Http.Headers;

namespace LumaGateway.Hosting;

/// <summary>
/// Responds to <c>OPTIONS</c> with the allowed methods of a route (RFC 9110, section 9.3.7), and to <c>CONNECT</c> with 405: a <c>CONNECT</c> request has
/// no path to route by. Must be before the endpoints run.
/// </summary>
internal static class OptionsAndConnectMiddleware
{
    private const string AllMethods = "GET, HEAD, POST, DELETE, OPTIONS";

    public static IApplicationBuilder UseOptionsAndConnect(this IApplicationBuilder app) => app.Use(static next => context => context.Request.Method switch
    {
        var method when HttpMethods.IsOptions(method) => HandleOptionsAsync(context, next),
        var method when HttpMethods.IsConnect(method) => RejectConnect(context),
        _ => next(context),
    });

    private static Task RejectConnect(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        context.Response.Headers.Allow = AllMethods;
        return Task.CompletedTask;
    }

    private static async Task HandleOptionsAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is "*" or "")
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // "OPTIONS *" is about the whole server
            context.Response.Headers.Allow = AllMethods;
            return;
        }

        await next(context);

        // Routing has found the path, but no endpoint for OPTIONS: it responds with 405 and the allowed methods.
        if (context.Response is { StatusCode: StatusCodes.Status405MethodNotAllowed, HasStarted: false } response && response.Headers.ContainsKey(HeaderNames.Allow))
        {
            response.StatusCode = StatusCodes.Status204NoContent;
            response.Headers.Allow = $"{response.Headers.Allow}, {HttpMethods.Options}";
        }
    }
}
