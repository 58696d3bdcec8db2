using LumaGateway.Caching;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Creating;

/// <summary>Writes the response to a create: 201 with the generation, whose address is in <c>Location</c>.</summary>
internal static class CreatedResponse
{
    /// <summary>RFC 9211: a create is always forwarded.</summary>
    private const string CacheStatus = "LumaGateway; fwd=method";

    public static async Task WriteAsync(HttpContext context, CacheEntry entry)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status201Created;
        response.Headers.Location = $"{context.Request.PathBase.ToUriComponent()}{CreateEndpoints.Path}/{entry.Key.Value}";
        response.Headers.CacheControl = "private, no-cache";
        response.Headers[HeaderNames.ETag] = entry.ETag;
        response.Headers["Cache-Status"] = CacheStatus;
        response.ContentType = "application/json";
        response.ContentLength = entry.Body.Length;
        await response.Body.WriteAsync(entry.Body, context.RequestAborted);
    }
}
