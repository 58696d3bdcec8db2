using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Generations;

/// <summary>Reads for a caller that would rather wait than be answered at once; null for one that would not. Given by the feature that waits.</summary>
internal delegate Task<CacheResult>? PatientRead(GenerationId id, HttpContext context);

/// <summary>Maps the slim read.</summary>
internal static class GenerationEndpoints
{
    public static void MapGenerations(this IEndpointRouteBuilder app)
    {
        var generations = app.MapGroup("/generations")
            .WithTags("Generations")
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId));

        generations.MapMethods("/{id}", [HttpMethods.Get, HttpMethods.Head], ReadAsync)
            .WithName("GetGeneration")
            .WithSummary("One generation, slim")
            .WithDescription("The state of one generation and, once it is completed, its links. Answers that are finished come from the cache; however many ask, the upstream is asked once.")
            .Produces<Generation>(StatusCodes.Status200OK, "application/json")
            .WithMetadata(new MayBeHit())
            .RequireRight(Rights.Read);

        generations.MapDelete("/{id}/cache", ForgetAsync)
            .WithName("ForgetGeneration")
            .WithSummary("Forget one cached answer, on all replicas")
            .WithDescription("The next read asks the upstream. Nothing is deleted there.")
            .Produces(StatusCodes.Status204NoContent)
            .RequireRight(Rights.Purge);
    }

    private static async Task ReadAsync(GenerationId id, HttpContext context, GenerationReader reader, PatientRead patient, TimeProvider clock)
    {
        Instrumentation.Current?.SetTag("luma_gateway.generation.id", id.Value);
        var answer = patient(id, context) is { } waiting
            ? await waiting
            : await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);

        await GenerationResponse.WriteAsync(context, answer, clock.GetUtcNow());
    }

    private static async Task ForgetAsync(GenerationId id, HttpContext context, GenerationReader reader)
    {
        if (await reader.ForgetAsync(id))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.CacheUnavailable);
        }
    }
}
