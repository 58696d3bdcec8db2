using LumaGateway.Sandbox.Dialects;

namespace LumaGateway.Sandbox.Control;

/// <summary>Reports a request that could not be bound: in the dialect's error shape, otherwise as plain text.</summary>
internal sealed class BadRequestMiddleware(RequestDelegate next, DialectSet dialects)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException fault) when (!context.Response.HasStarted)
        {
            var message = $"{fault.Message} {fault.InnerException?.Message}".TrimEnd();
            IResult answer = dialects.Of(context.Request.Path) is { } dialect
                ? new JsonAnswer(fault.StatusCode, dialect.Error(fault.StatusCode, message))
                : TypedResults.Text(message, statusCode: fault.StatusCode);
            await answer.ExecuteAsync(context);
        }
    }
}
