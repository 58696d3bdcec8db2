using LumaGateway.Access;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Hosting;

/// <summary>
/// Allows the origins in <c>Cors:AllowedOrigins</c> to read responses (CORS, Fetch standard), and responds to their preflight requests without authentication: a
/// preflight request has no credential. Cookies are never allowed. The management endpoints have no CORS. Must be after routing and before every middleware that
/// writes a response.
/// </summary>
internal static class CrossOriginRequests
{
    /// <summary>Headers that scripts may read, besides those that the Fetch standard always allows.</summary>
    private static readonly string[] ExposedHeaders =
    [
        HeaderNames.ETag, "Cache-Status", HeaderNames.RetryAfter, Telemetry.RequestId.Header, "Preference-Applied", HeaderNames.Location, "RateLimit", "RateLimit-Policy",
        HeaderNames.AcceptRanges, HeaderNames.ContentRange, HeaderNames.WWWAuthenticate, "X-Should-Retry",
    ];

    private static readonly TimeSpan PreflightMaxAge = TimeSpan.FromMinutes(10);

    public static void UseCrossOriginRequests(this WebApplication app)
    {
        var origins = app.Services.GetRequiredService<IOptions<OriginOptions>>().Value.AllowedOrigins.ToHashSet(StringComparer.Ordinal);
        if (origins.Count == 0)
        {
            return;
        }

        app.UseWhen(
            static context => context.GetEndpoint()?.Metadata.GetMetadata<ManagementPortMetadata>() is null,
            branch => branch.Use(next => VaryByOrigin(next, origins)).UseCors(policy => policy
                .SetIsOriginAllowed(origins.Contains) // also sends "Vary: Origin" to allowed origins
                .WithMethods(HttpMethods.Get, HttpMethods.Head, HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete)
                .AllowAnyHeader()
                .WithExposedHeaders(ExposedHeaders)
                .SetPreflightMaxAge(PreflightMaxAge)));
    }

    /// <summary>A browser's cache must not use a response without CORS headers, such as that of an <c>img</c> or of another origin, for a script.</summary>
    private static RequestDelegate VaryByOrigin(RequestDelegate next, HashSet<string> origins) => context =>
    {
        if (context.Request.Headers.Origin is not [{ } origin] || !origins.Contains(origin))
        {
            context.Response.OnStarting(static response => AddVary((HttpResponse)response), context.Response); // an endpoint may set another Vary
        }

        return next(context);
    };

    private static Task AddVary(HttpResponse response)
    {
        response.Headers.Append(HeaderNames.Vary, HeaderNames.Origin);
        return Task.CompletedTask;
    }
}
