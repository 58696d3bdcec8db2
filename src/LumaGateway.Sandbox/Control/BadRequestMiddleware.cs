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
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            var message = $"{exception.Message} {exception.InnerException?.Message}".TrimEnd();
            IResult response = dialects.Of(context.Request.Path) is { } dialect
                ? dialect.Error(exception.StatusCode, message)
                : TypedResults.Text(message, statusCode: exception.StatusCode);
            await response.ExecuteAsync(context);
        }
    }
}
