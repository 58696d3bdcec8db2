using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>Maps the streams of events.</summary>
internal static class LongPollingEndpoints
{
    public static void MapLongPolling(this IEndpointRouteBuilder app)
    {
        // Not resolved by each request: that would give every stream a scope of services of its own, for as long as it lasts.
        var stream = app.ServiceProvider.GetRequiredService<EventStream>();
        var generations = app.MapGroup("/generations").WithTags("Waiting");

        generations.MapGet("/{id}/events", (GenerationId id, HttpContext context) => stream.ServeAsync(context, [id]))
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("StreamGeneration")
            .WithSummary("One generation's changes, as they come")
            .WithDescription("Server-sent events. Each `generation` event holds the generation as the plain read answers it, and its state as id. The stream ends after the event that says `completed` or `failed`; asked again with that event's id as `Last-Event-ID`, the answer is 204, and an EventSource comes no more.")
            .Produces<string>(StatusCodes.Status200OK, EventWriter.ContentType)
            .Produces(StatusCodes.Status204NoContent)
            .RequireRight(Rights.Read);

        generations.MapGet("/events", StreamSeveralAsync)
            .WithName("StreamGenerations")
            .WithSummary("Several generations' changes, as they come")
            .WithDescription("Server-sent events: the current states first, then every change. A `problem` event names an id that the upstream does not know. The stream ends when all are finished. An event's id says how far the stream has come with all of them.")
            .Produces<string>(StatusCodes.Status200OK, EventWriter.ContentType)
            .Produces(StatusCodes.Status204NoContent)
            .RequireRight(Rights.Read);
    }

    private static async Task StreamSeveralAsync(HttpContext context, EventStream stream, IOptions<BatchOptions> options)
    {
        if (BatchIds.TryRead(context.Request.Query["ids"], options.Value.MaxIds, out var sent) is { } complaint)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, complaint);
            return;
        }

        var ids = new List<GenerationId>(sent.Count);
        foreach (var text in sent)
        {
            if (!GenerationId.TryParse(text, null, out var id))
            {
                await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidId);
                return;
            }

            ids.Add(id);
        }

        await stream.ServeAsync(context, ids);
    }
}
