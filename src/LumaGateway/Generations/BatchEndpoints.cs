using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Maps the batch read: always 200, with a problem in the place of each generation that cannot be read.</summary>
internal static class BatchEndpoints
{
    private const int ParallelReads = 8;

    public static void MapGenerationBatch(this IEndpointRouteBuilder app) =>
        app.MapGet("/generations", ReadAsync)
            .WithTags("Generations")
            .WithName("GetGenerations")
            .WithSummary("Several generations in one response")
            .WithDescription("In the order of the query, each once. A generation that cannot be read is replaced by its id and a problem; the others are not affected.")
            .Produces<GenerationBatch>(StatusCodes.Status200OK, "application/json")
            .ProducesGatewayProblems(
                ProblemKinds.InvalidRequest, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.MethodNotAllowed, ProblemKinds.RateLimited,
                ProblemKinds.Internal, ProblemKinds.IssuerUnavailable)
            .RequirePermission(Permissions.Read);

    private static async Task ReadAsync(HttpContext context, GenerationReader reader, IOptions<BatchOptions> options)
    {
        if (BatchIds.TryRead(context.Request.Query["ids"], options.Value.MaxIds, out var ids) is { } error)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, error);
            return;
        }

        RateLimitLease.Of(context)?.ChargeBatch(ids.Count); // a batch costs the client as many requests as it has ids
        var items = new ReadOnlyMemory<byte>[ids.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, ids.Count),
            new ParallelOptions { MaxDegreeOfParallelism = ParallelReads, CancellationToken = context.RequestAborted },
            async (index, token) => items[index] = await ReadOneAsync(context, reader, ids[index], token));

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "private, no-cache";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteStartArray("generations"u8);
        foreach (var item in items)
        {
            json.WriteRawValue(item.Span, skipInputValidation: true);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadOneAsync(HttpContext context, GenerationReader reader, string text, CancellationToken token)
    {
        if (!GenerationId.TryParse(text, null, out var id))
        {
            return CreateProblem(context, text, ProblemKinds.InvalidId);
        }

        try
        {
            return (await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), token)).Entry!.Body;
        }
        catch (UpstreamException exception)
        {
            return CreateProblem(context, text, ProblemKinds.Of(exception.Fault));
        }
    }

    private static byte[] CreateProblem(HttpContext context, string id, ProblemKind kind) =>
        JsonSerializer.SerializeToUtf8Bytes(new BatchItem(id, ProblemWriter.CreateProblem(context, kind)), ContractsJson.Web.BatchItem);
}
