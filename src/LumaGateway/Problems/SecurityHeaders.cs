namespace LumaGateway.Problems;

/// <summary>
/// Headers of every answer that keep browsers and shared caches from making more of it than it is. Set first, so that an endpoint can say
/// otherwise, and again on problems, before which everything is cleared.
/// </summary>
internal static class SecurityHeaders
{
    private const string NothingIsRun = "default-src 'none'; frame-ancestors 'none'; sandbox";

    /// <summary>Swagger UI brings all it needs; only its styles are inline.</summary>
    private const string SwaggerOnly =
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
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger") ? SwaggerOnly : NothingIsRun;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }
}
