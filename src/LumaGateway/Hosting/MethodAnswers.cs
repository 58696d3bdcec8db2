using Microsoft.Net.Http.Headers;

namespace LumaGateway.Hosting;

/// <summary>
/// Answers <c>OPTIONS</c> with what a route takes (RFC 9110, section 9.3.7), and refuses <c>CONNECT</c>, which is for proxies and has no path to
/// route by. To be called before routing.
/// </summary>
internal static class MethodAnswers
{
    private const string Taken = "GET, HEAD, POST, DELETE, OPTIONS";

    public static IApplicationBuilder UseMethodAnswers(this IApplicationBuilder app) => app.Use(static next => context => context.Request.Method switch
    {
        var method when HttpMethods.IsOptions(method) => AnswerAsync(context, next),
        var method when HttpMethods.IsConnect(method) => Refuse(context),
        _ => next(context),
    });

    private static Task Refuse(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        context.Response.Headers.Allow = Taken;
        return Task.CompletedTask;
    }

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is "*" or "")
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // asked of the server as a whole
            context.Response.Headers.Allow = Taken;
            return;
        }

        await next(context);

        // Routing has found the path but not the method, and has said which there are.
        if (context.Response is { StatusCode: StatusCodes.Status405MethodNotAllowed, HasStarted: false } response && response.Headers.ContainsKey(HeaderNames.Allow))
        {
            response.StatusCode = StatusCodes.Status204NoContent;
            response.Headers.Allow = $"{response.Headers.Allow}, {HttpMethods.Options}";
        }
    }
}
