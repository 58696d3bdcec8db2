using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>Maps the streams of server-sent events.</summary>
internal static class LongPollingEndpoints
{
    public static void MapLongPolling(this IEndpointRouteBuilder app)
    {
        // Resolved once: a handler parameter would create a service scope that lives as long as its stream.
        var stream = app.ServiceProvider.GetRequiredService<EventStream>();
        var generations = app.MapGroup("/generations").WithTags("Waiting");

        generations.MapGet("/{id}/events", (GenerationId id, HttpContext context) => stream.ServeAsync(context, [id]))
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("StreamGeneration")
            .WithSummary("A stream of one generation's states")
            .WithDescription("Server-sent events. The data of a `generation` event is the body of a plain read; its id names the state. The stream ends after the state `completed` or `failed`. A request with the id of that event as `Last-Event-ID` gets 204, which stops an EventSource from reconnecting.")
            .Produces<string>(StatusCodes.Status200OK, EventWriter.ContentType)
            .Produces(StatusCodes.Status204NoContent)
            .ProducesGatewayProblems(ProblemResponses.OfReads)
            .AcceptTickets()
            .RequirePermission(Permissions.Read);

        generations.MapGet("/events", StreamSeveralAsync)
            .WithName("StreamGenerations")
            .WithSummary("A stream of several generations' states")
            .WithDescription("Server-sent events: the current states, then every change. A `problem` event names an id that the upstream does not know. The stream ends when all generations are completed, failed or unknown. An event's id names the last sent state of each generation.")
            .Produces<string>(StatusCodes.Status200OK, EventWriter.ContentType)
            .Produces(StatusCodes.Status204NoContent)
            .ProducesGatewayProblems([ProblemKinds.InvalidRequest, .. ProblemResponses.OfReads])
            .RequirePermission(Permissions.Read);
    }

    private static async Task StreamSeveralAsync(HttpContext context, EventStream stream, IOptions<BatchOptions> options)
    {
        if (BatchIds.TryRead(context.Request.Query["ids"], options.Value.MaxIds, out var texts) is { } error)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, error);
            return;
        }

        var ids = new List<GenerationId>(texts.Count);
        foreach (var text in texts)
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
