namespace LumaGateway.Problems;

/// <summary>
/// Security headers of every response, for browsers and shared caches. They are set first, so that an endpoint can change them, and again for a problem, because
/// the exception handler clears all headers.
/// </summary>
internal static class SecurityHeaders
{
    private const string DenyAll = "default-src 'none'; frame-ancestors 'none'; sandbox";

    /// <summary>Swagger UI loads only its own files; its styles are inline.</summary>
    private const string AllowSwaggerUi =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static IApplicationBuilder UseSecurityHeaders(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        Set(context);
        return next(context);
    });

    public static void Set(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger") ? AllowSwaggerUi : DenyAll;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }
}
