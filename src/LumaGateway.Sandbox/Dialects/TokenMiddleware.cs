namespace LumaGateway.Sandbox.Dialects;

/// <summary>Checks the token of requests to the dialects. Assets need none, as at Luma.</summary>
internal sealed class TokenMiddleware(RequestDelegate next, DialectSet dialects, AcceptedToken token)
{
    public Task InvokeAsync(HttpContext context) =>
        dialects.Of(context.Request.Path) is { } dialect && !token.IsIn(context.Request, dialect)
            ? Unauthorized(dialect).ExecuteAsync(context)
            : next(context);

    private static JsonResponse Unauthorized(ISandboxDialect dialect) =>
        dialect.Error(StatusCodes.Status401Unauthorized, "Invalid token");
}
