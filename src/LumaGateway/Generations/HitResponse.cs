using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Telemetry;

namespace LumaGateway.Generations;

/// <summary>Writes a fresh entry from memory as an <see cref="FastResponse"/>. Does not allocate. Most requests end here.</summary>
internal sealed class HitResponse(ResponseCache cache, TimeProvider clock)
{
    /// <summary>Returns null if the rest of the pipeline must handle the request.</summary>
    public Task? TryWrite(HttpContext context)
    {
        if (context.Request.Headers.ContainsKey("Prefer")
            || Instrumentation.Current is not null // the endpoint adds attributes to a sampled span
            || !GenerationId.TryParse(context.Request.RouteValues["id"] as string, null, out var id))
        {
            return null;
        }

        var now = clock.GetUtcNow();
        return cache.TryGetFresh(id, now) is { Kind: not EntryKind.NotFound } entry
            ? GenerationResponse.WriteAsync(context, cache.RecordHit(entry), now)
            : null;
    }
}
