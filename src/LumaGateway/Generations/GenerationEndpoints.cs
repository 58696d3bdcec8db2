using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Generations;

/// <summary>Reads with a long poll; null if the request does not ask for one. Implemented by LongPolling, on which this namespace must not depend.</summary>
internal delegate Task<CacheResult>? LongPollRead(GenerationId id, HttpContext context);

/// <summary>Maps the read of one generation and its purge.</summary>
internal static class GenerationEndpoints
{
    public static void MapGenerations(this IEndpointRouteBuilder app)
    {
        var generations = app.MapGroup("/generations")
            .WithTags("Generations")
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId));

        generations.MapMethods("/{id}", [HttpMethods.Get, HttpMethods.Head], ReadAsync)
            .WithName("GetGeneration")
            .WithSummary("One generation")
            .WithDescription("The state of one generation and, when it is completed, its links. Final responses come from the cache. Concurrent reads share one upstream request.")
            .Produces<Generation>(StatusCodes.Status200OK, "application/json")
            .WithMetadata(new ServedFromMemory())
            .RequirePermission(Permissions.Read);

        generations.MapDelete("/{id}/cache", PurgeAsync)
            .WithName("ForgetGeneration")
            .WithSummary("Purge one generation from the cache, on all replicas")
            .WithDescription("The next read goes to the upstream. The generation itself is not deleted.")
            .Produces(StatusCodes.Status204NoContent)
            .RequirePermission(Permissions.Purge);
    }

    private static async Task ReadAsync(GenerationId id, HttpContext context, GenerationReader reader, LongPollRead longPoll, TimeProvider clock)
    {
        Instrumentation.Current?.SetTag("luma_gateway.generation.id", id.Value);
        var result = longPoll(id, context) is { } reading
            ? await reading
            : await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);

        await GenerationResponse.WriteAsync(context, result, clock.GetUtcNow());
    }

    private static async Task PurgeAsync(GenerationId id, HttpContext context, ResponseCache cache)
    {
        if (await cache.PurgeAsync(id))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.CacheUnavailable);
        }
    }
}
