using Microsoft.Net.Http.Headers;

namespace LumaGateway.Features.Server;

/// <summary>Answers <c>OPTIONS</c> with what a route takes (RFC 9110, section 9.3.7). To be called before routing.</summary>
internal static class MethodAnswers
{
    public static IApplicationBuilder UseMethodAnswers(this IApplicationBuilder app) => app.Use(static next => context =>
        HttpMethods.IsOptions(context.Request.Method) ? AnswerAsync(context, next) : next(context));

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is "*" or "")
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // asked of the server as a whole
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
