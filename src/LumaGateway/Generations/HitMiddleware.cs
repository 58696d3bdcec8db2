using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Generations;

/// <summary>
/// Answers reads that memory holds, at once, ahead of the rest of the pipeline: most requests end here. It decides nothing: whatever is not plainly
/// a hit for a client who may have it now goes on, refusals included, and the pipeline would come to the same answer.
/// </summary>
internal sealed class HitMiddleware(RequestDelegate next, ClientAuthenticator callers, AccessMetrics metrics, GenerationReader reader, TimeProvider clock)
{
    public Task InvokeAsync(HttpContext context) => TryAnswer(context) ?? next(context);

    private Task? TryAnswer(HttpContext context)
    {
        DateTimeOffset now;
        if (context.GetEndpoint()?.Metadata is not { } metadata
            || metadata.GetMetadata<MayBeHit>() is null
            || metadata.GetMetadata<RequiredPermission>() is not { } required
            || context.Request.Headers.ContainsKey("Prefer")
            || Instrumentation.Current is not null // its span shall have all that the pipeline knows
            || !callers.TryIdentify(context.Request.Headers, out var client, out _)
            || client?.May(required.For(context.Request.Method)) is not true
            || !GenerationId.TryParse(context.Request.RouteValues["id"] as string, null, out var id)
            || reader.TryGetFresh(id, now = clock.GetUtcNow()) is not { } entry
            || client.ClientLimiter.TryEnter(out _) is not null)
        {
            return null;
        }

        return Answer(context, client, entry, now);
    }

    /// <summary>Gives the slot back here unless the write goes on: a write can also throw before it returns a task.</summary>
    private Task Answer(HttpContext context, Client client, CacheEntry entry, DateTimeOffset now)
    {
        var goesOn = false;
        try
        {
            metrics.Admitted(client.Name);
            RequestId.Assign(context);
            SecurityHeaders.Set(context);
            var sending = GenerationResponse.WriteAsync(context, reader.Give(entry), now);
            goesOn = !sending.IsCompleted;
            return goesOn ? LeaveAsync(sending, client.ClientLimiter) : sending;
        }
        finally
        {
            if (!goesOn)
            {
                client.ClientLimiter.Leave();
            }
        }
    }

    private static async Task LeaveAsync(Task sending, ClientLimiter allowance)
    {
        try
        {
            await sending;
        }
        finally
        {
            allowance.Leave();
        }
    }
}

/// <summary>Endpoint metadata: a read of one generation, which memory may answer.</summary>
internal sealed record MayBeHit;
