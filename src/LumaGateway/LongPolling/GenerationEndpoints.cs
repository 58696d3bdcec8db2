using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.LongPolling;

/// <summary>Maps the read of one generation, which is a long poll if the request has <c>Prefer: wait</c>.</summary>
internal static class GenerationEndpoints
{
    public static void MapGenerations(this IEndpointRouteBuilder app) =>
        app.MapMethods("/generations/{id}", [HttpMethods.Get, HttpMethods.Head], ReadAsync)
            .WithTags("Generations")
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("GetGeneration")
            .WithSummary("One generation")
            .WithDescription("The state of one generation and, when it is completed, its links. Final responses come from the cache. Concurrent reads share one upstream request.")
            .Produces<Generation>(StatusCodes.Status200OK, "application/json")
            .WithMetadata(new EarlyResponse(app.ServiceProvider.GetRequiredService<HitResponse>().TryWrite))
            .ProducesGatewayProblems(ProblemResponses.OfReads)
            .RequirePermission(Permissions.Read);

    private static async Task ReadAsync(GenerationId id, HttpContext context, GenerationReader reader, LongPollReader longPoll, TimeProvider clock)
    {
        Instrumentation.Current?.SetTag("luma_gateway.generation.id", id.Value);
        var result = longPoll.TryRead(id, context) is { } reading
            ? await reading
            : await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);

        await GenerationResponse.WriteAsync(context, result, clock.GetUtcNow());
    }
}
