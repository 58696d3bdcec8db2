using System.Globalization;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Errors;
using LumaGateway.Features.Waiting;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Features.Generations;

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
            .RequireRight(Rights.Read);

        generations.MapDelete("/{id}/cache", ForgetAsync)
            .WithName("ForgetGeneration")
            .WithSummary("Forget one cached answer, on all replicas")
            .WithDescription("The next read asks the upstream. Nothing is deleted there.")
            .Produces(StatusCodes.Status204NoContent)
            .RequireRight(Rights.Purge);
    }

    private static async Task ReadAsync(
        GenerationId id, HttpContext context, GenerationReader reader, WaitingReader waiting, IOptions<WaitingOptions> options, TimeProvider clock)
    {
        Instrumentation.Current?.SetTag("luma_gateway.generation.id", id.Value);
        CacheAnswer answer;
        if (PreferredWait.Read(context.Request.Headers["Prefer"], options.Value.Longest) is { } wait)
        {
            context.Response.Headers["Preference-Applied"] = string.Create(CultureInfo.InvariantCulture, $"wait={(long)wait.TotalSeconds}");
            Visit.Of(context)?.HandBackPlace(); // Waiting:Max bounds waiters
            answer = await waiting.ReadAsync(id, wait, context.TraceIdentifier, context.RequestAborted);
        }
        else
        {
            answer = await reader.ReadAsync(id, context.TraceIdentifier, context.RequestAborted);
        }

        if (answer.Status is CacheStatus.Miss)
        {
            Visit.Of(context)?.Charge(cached: 0, upstream: 1);
        }

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
