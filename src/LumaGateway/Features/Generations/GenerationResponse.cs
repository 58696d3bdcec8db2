using System.Globalization;
using LumaGateway.Caching;
using LumaGateway.Errors;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Features.Generations;

/// <summary>Sends one cached answer: validator, freshness, how it came about, and the bytes as they are kept.</summary>
internal static class GenerationResponse
{
    private const string Unfinished = "private, no-cache";

    public static Task WriteAsync(HttpContext context, CacheAnswer answer, DateTimeOffset now)
    {
        var entry = answer.Entry!;
        var response = context.Response;
        var headers = response.Headers;
        var ttl = (long)Math.Floor((entry.FreshUntil - now).TotalSeconds);

        headers.ETag = entry.ETag;
        headers.CacheControl = entry.Kind is EntryKind.Final && ttl > 0 ? string.Create(CultureInfo.InvariantCulture, $"private, max-age={ttl}") : Unfinished;
        headers["Cache-Status"] = Describe(answer, ttl);
        if (entry.Kind is EntryKind.Interim)
        {
            headers.RetryAfter = Math.Clamp(ttl + 1, 1, 60).ToString(CultureInfo.InvariantCulture);
        }

        if (Matches(context.Request.Headers.IfNoneMatch, entry.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = "application/json";
        response.ContentLength = entry.Body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : response.Body.WriteAsync(entry.Body, context.RequestAborted).AsTask();
    }

    /// <summary>RFC 9211, section 2.</summary>
    private static string Describe(CacheAnswer answer, long ttl) => answer switch
    {
        { Status: CacheStatus.Miss } => "LumaGateway; fwd=miss; stored",
        { Status: CacheStatus.Collapsed } => "LumaGateway; fwd=miss; collapsed",
        { Status: CacheStatus.Stale, Fault: { } fault } =>
            string.Create(CultureInfo.InvariantCulture, $"LumaGateway; hit; ttl={ttl}; detail={ProblemKinds.Of(fault.Fault).Code}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"LumaGateway; hit; ttl={ttl}"),
    };

    /// <summary>RFC 9110, section 13.1.2: <c>If-None-Match</c> compares weakly, and <c>*</c> matches whatever there is.</summary>
    private static bool Matches(StringValues sent, string etag)
    {
        if (sent.Count == 0)
        {
            return false;
        }

        if (sent is [{ } only] && (only == etag || only == "*"))
        {
            return true;
        }

        var ours = new EntityTagHeaderValue(etag);
        return EntityTagHeaderValue.TryParseList(sent, out var tags) && tags.Any(tag => tag.Compare(ours, useStrongComparison: false));
    }
}
