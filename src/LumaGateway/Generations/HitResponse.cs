using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Generations;

/// <summary>
/// Serves hits in memory before the rest of the pipeline, without allocations: most requests end here. Every other request goes on, refused
/// ones included. The pipeline would give the same response to a hit.
/// </summary>
internal sealed class HitMiddleware(RequestDelegate next, ClientAuthenticator authenticator, AccessMetrics metrics, ResponseCache cache, TimeProvider clock)
{
    public Task InvokeAsync(HttpContext context) => TryServe(context) ?? next(context);

    private Task? TryServe(HttpContext context)
    {
        DateTimeOffset now;
        if (context.GetEndpoint()?.Metadata is not { } metadata
            || metadata.GetMetadata<ServedFromMemory>() is null
            || metadata.GetMetadata<RequiredPermission>() is not { } required
            || context.Request.Headers.ContainsKey("Prefer")
            || Instrumentation.Current is not null // the pipeline adds attributes to a sampled span
            || !authenticator.TryAuthenticate(context.Request.Headers, out var client, out _)
            || client?.Has(required.For(context.Request.Method)) is not true
            || !GenerationId.TryParse(context.Request.RouteValues["id"] as string, null, out var id)
            || cache.TryGetFresh(id, now = clock.GetUtcNow()) is not { Kind: not EntryKind.NotFound } entry
            || client.ClientLimiter.TryAcquire(out _) is not null)
        {
            return null;
        }

        return Serve(context, client, entry, now);
    }

    /// <summary>Releases the concurrency slot here unless the write is pending: a write can also throw before it returns a task.</summary>
    private Task Serve(HttpContext context, Client client, CacheEntry entry, DateTimeOffset now)
    {
        var isPending = false;
        try
        {
            metrics.Admitted(client.Name);
            RequestId.Assign(context);
            SecurityHeaders.Set(context);
            var sending = GenerationResponse.WriteAsync(context, cache.RecordHit(entry), now);
            isPending = !sending.IsCompleted;
            return isPending ? ReleaseAfterAsync(sending, client.ClientLimiter) : sending;
        }
        finally
        {
            if (!isPending)
            {
                client.ClientLimiter.Release();
            }
        }
    }

    private static async Task ReleaseAfterAsync(Task sending, ClientLimiter limiter)
    {
        try
        {
            await sending;
        }
        finally
        {
            limiter.Release();
        }
    }
}

/// <summary>Endpoint metadata: <see cref="HitMiddleware"/> may serve the endpoint.</summary>
internal sealed record ServedFromMemory;
