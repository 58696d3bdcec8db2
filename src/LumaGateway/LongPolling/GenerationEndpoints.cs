using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using Microsoft.OpenApi;

namespace LumaGateway.LongPolling;

/// <summary>Maps the read of one generation, which is a long poll if the request has <c>Prefer: wait</c>.</summary>
internal static class GenerationEndpoints
{
    private static readonly object[] Headers =
    [
        DocumentedHeader.ETag,
        new DocumentedHeader("Cache-Control", "`private, max-age=<seconds>` for a fresh final state, else `private, no-cache`."),
        new DocumentedHeader("Cache-Status", "How the cache handled the request (RFC 9211)."),
        new DocumentedHeader("Retry-After", "Seconds to wait before the next request; only for an interim state."),
        DocumentedHeader.PreferenceApplied,
        DocumentedHeader.RateLimit,
        DocumentedHeader.RateLimitPolicy,
        DocumentedHeader.RequestId,
    ];

    public static void MapGenerations(this IEndpointRouteBuilder app)
    {
        // Resolved once: services as parameters of the handler would create a scope for each request.
        var services = app.ServiceProvider;
        var (reader, longPoll, clock) = (services.GetRequiredService<GenerationReader>(), services.GetRequiredService<LongPollReader>(), services.GetRequiredService<TimeProvider>());
        app.MapMethods("/generations/{id}", [HttpMethods.Get, HttpMethods.Head], (GenerationId id, HttpContext context) => ReadAsync(id, context, reader, longPoll, clock))
            .WithTags(DocumentTags.Generations)
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("GetGeneration")
            .WithSummary("Read a generation, or wait for it")
            .WithDescription("The state of one generation and, when it is completed, its links. Final responses come from the cache. Concurrent reads share one upstream request.")
            .WithMetadata(
                new DocumentedParameter("Prefer", ParameterLocation.Header, "`wait=N` (RFC 7240): respond when the generation reaches a final state, or after N seconds with the current state. N is limited to `Waiting:Longest`."),
                new DocumentedParameter("If-None-Match", ParameterLocation.Header, "The `ETag` of an earlier response: respond with 304 if it is still the current one."))
            .Produces<Generation>(StatusCodes.Status200OK, "application/json")
            .Produces(StatusCodes.Status304NotModified)
            .WithMetadata(Headers)
            .WithMetadata(new DocumentedExamples(DocumentedExamples.Completed, DocumentedExamples.Processing, DocumentedExamples.Failed))
            .WithMetadata(new FastResponse(services.GetRequiredService<HitResponse>().TryWrite))
            .ProducesGatewayProblems(ProblemResponses.OfReads)
            .RequirePermission(Permissions.Read);
    }

    private static async Task ReadAsync(GenerationId id, HttpContext context, GenerationReader reader, LongPollReader longPoll, TimeProvider clock)
    {
        Instrumentation.Current?.SetTag("luma_gateway.generation.id", id.Value);
        var result = longPoll.TryRead(id, context) is { } reading
            ? await reading
            : await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);

        await GenerationResponse.WriteAsync(context, result, clock.GetUtcNow());
    }
}
