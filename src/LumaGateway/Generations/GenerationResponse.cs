using LumaGateway.Caching;
using LumaGateway.Problems;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Generations;

/// <summary>Sends one cached answer: validator, freshness, how it came about, and the bytes as they are kept.</summary>
internal static class GenerationResponse
{
    public static Task WriteAsync(HttpContext context, CacheResult answer, DateTimeOffset now)
    {
        var entry = answer.Entry!;
        var response = context.Response;
        var headers = response.Headers;
        var freshness = entry.HeadersAt(now);

        headers.ETag = entry.ETag;
        headers.CacheControl = freshness.CacheControl;
        headers["Cache-Status"] = Describe(answer, freshness);
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
        return sending.IsCompletedSuccessfully ? Task.CompletedTask : sending.AsTask(); // a task only where the caller reads slowly
    }

    /// <summary>RFC 9211, section 2.</summary>
    private static string Describe(CacheResult answer, FreshnessHeaders freshness) => answer switch
    {
        { Status: CacheStatus.Miss } => "LumaGateway; fwd=miss; stored",
        { Status: CacheStatus.Collapsed } => "LumaGateway; fwd=miss; collapsed",
        { Status: CacheStatus.Stale, Fault: { } fault } => $"{freshness.HitStatus}; detail={ProblemKinds.Of(fault.Fault).Code}",
        _ => freshness.HitStatus,
    };

    /// <summary>RFC 9110, section 13.1.2: <c>If-None-Match</c> compares weakly, and <c>*</c> matches whatever there is.</summary>
    private static bool Matches(StringValues sent, string etag) =>
        sent.Count > 0 && ((sent is [{ } only] && (only == etag || only == "*")) || MatchesOneOf(sent, etag));

    private static bool MatchesOneOf(StringValues sent, string etag)
    {
        var ours = new EntityTagHeaderValue(etag);
        return EntityTagHeaderValue.TryParseList(sent, out var tags) && tags.Any(tag => tag.Compare(ours, useStrongComparison: false));
    }
}
