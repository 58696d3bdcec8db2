using LumaGateway.Caching;
using LumaGateway.Problems;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Generations;

/// <summary>Writes a cache result as the response: ETag, Cache-Control, Cache-Status, Retry-After, and the stored body.</summary>
internal static class GenerationResponse
{
    public static Task WriteAsync(HttpContext context, CacheResult result, DateTimeOffset now)
    {
        var entry = result.Entry!;
        var response = context.Response;
        var headers = response.Headers;
        var freshness = entry.HeadersAt(now);

        headers.ETag = entry.ETag;
        headers.CacheControl = freshness.CacheControl;
        headers["Cache-Status"] = CacheStatusOf(result, freshness);
        headers.RetryAfter = freshness.RetryAfter;

        if (Matches(context.Request.Headers.IfNoneMatch, entry.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = "application/json";
        response.ContentLength = entry.Body.Length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }

        var sending = response.BodyWriter.WriteAsync(entry.Body, context.RequestAborted);
        return sending.IsCompletedSuccessfully ? Task.CompletedTask : sending.AsTask(); // allocates a task only for a client that reads slowly
    }

    /// <summary>The <c>Cache-Status</c> header (RFC 9211, section 2).</summary>
    private static string CacheStatusOf(CacheResult result, FreshnessHeaders freshness) => result switch
    {
        { Status: CacheStatus.Miss } => "LumaGateway; fwd=miss; stored",
        { Status: CacheStatus.Collapsed } => "LumaGateway; fwd=miss; collapsed",
        { Status: CacheStatus.Stale, Fault: { } fault } => $"{freshness.HitStatus}; detail={ProblemKinds.Of(fault.Fault).Code}",
        _ => freshness.HitStatus,
    };

    /// <summary>RFC 9110, section 13.1.2: <c>If-None-Match</c> uses weak comparison, and <c>*</c> matches every representation.</summary>
    private static bool Matches(StringValues header, string etag) =>
        header.Count > 0 && ((header is [{ } only] && (only == etag || only == "*")) || MatchesOneOf(header, etag));

    private static bool MatchesOneOf(StringValues header, string etag)
    {
        var current = new EntityTagHeaderValue(etag);
        return EntityTagHeaderValue.TryParseList(header, out var tags) && tags.Any(tag => tag.Compare(current, useStrongComparison: false));
    }
}
