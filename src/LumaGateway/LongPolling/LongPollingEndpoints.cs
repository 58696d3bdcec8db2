using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Generations;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace LumaGateway.LongPolling;

/// <summary>Maps the streams of server-sent events.</summary>
internal static class LongPollingEndpoints
{
    // The response 204 is only in the descriptions: with a status without content in the list, Kiota generates a method that returns nothing.
    private static readonly DocumentedParameter LastEventId = new(
        "Last-Event-ID",
        ParameterLocation.Header,
        "The id of the last event that the client received. An EventSource sends it when it reconnects. Events up to that id are not repeated, on any replica.");

    private static readonly HashSet<GenerationId> NoIds = [];

    public static void MapLongPolling(this IEndpointRouteBuilder app)
    {
        // Resolved once: a handler parameter would create a service scope that lives as long as its stream.
        var stream = app.ServiceProvider.GetRequiredService<EventStream>();
        var generations = app.MapGroup("/generations").WithTags(DocumentTags.Waiting);

        generations.MapGet("/{id}/events", (GenerationId id, HttpContext context) => stream.ServeAsync(context, [id], NoIds))
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("StreamGeneration")
            .WithSummary("A stream of one generation's states")
            .WithDescription("Server-sent events. The data of a `generation` event is the body of a plain read; its id names the state. The stream ends after the state `completed` or `failed`. A request with the id of that event as `Last-Event-ID` gets 204, which stops an EventSource from reconnecting.")
            .WithMetadata(LastEventId)
            .WithMetadata(new DocumentedExamples(DocumentedExamples.Event))
            .Produces<string>(StatusCodes.Status200OK, EventWriter.ContentType)
            .ProducesGatewayProblems(ProblemResponses.OfReads)
            .AcceptTickets()
            .RequirePermission(Permissions.Read);

        generations.MapGet("/events", StreamSeveralAsync)
            .WithName("StreamGenerations")
            .WithSummary("A stream of several generations' states")
            .WithDescription("Server-sent events: the current states, then every change. A `problem` event names an id that the upstream does not know. The stream ends when all generations are completed, failed or unknown. An event's id names the last sent state of each generation. A request with the id of the last event gets 204.")
            .WithMetadata(BatchIds.Parameter, LastEventId)
            .WithMetadata(new DocumentedExamples(DocumentedExamples.Event))
            .Produces<string>(StatusCodes.Status200OK, EventWriter.ContentType)
            .ProducesGatewayProblems([ProblemKinds.InvalidRequest, .. ProblemResponses.OfReads])
            .RequirePermission(Permissions.Read);
    }

    private static async Task StreamSeveralAsync(HttpContext context, EventStream stream, Ownership ownership, IOptions<BatchOptions> options)
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

        await stream.ServeAsync(context, ids, await ownership.FindHiddenAsync(ids, RateLimitLease.Of(context)?.Client, context.RequestAborted));
    }
}
