using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Maps the batch read: always 200, with a generation or a problem for each id.</summary>
internal static class BatchEndpoints
{
    private const int ParallelReads = 8;

    public static void MapGenerationBatch(this IEndpointRouteBuilder app) =>
        app.MapGet("/generations", ReadAsync)
            .WithTags(DocumentTags.Generations)
            .WithName("GetGenerations")
            .WithSummary("Read several generations")
            .WithDescription("In the order of the query, each id once. Each item has a `generation` or, if it cannot be read, a `problem`; the others are not affected.")
            .WithMetadata(BatchIds.Parameter)
            .Produces<GenerationBatch>(StatusCodes.Status200OK, "application/json")
            .WithMetadata(new DocumentedExamples(DocumentedExamples.Batch))
            .ProducesGatewayProblems(
                ProblemKinds.InvalidRequest, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.MethodNotAllowed, ProblemKinds.RateLimited,
                ProblemKinds.Internal, ProblemKinds.LedgerUnavailable, ProblemKinds.IssuerUnavailable)
            .RequirePermission(Permissions.Read);

    private static async Task ReadAsync(HttpContext context, GenerationReader reader, Ownership ownership, IOptions<BatchOptions> options)
    {
        if (BatchIds.TryRead(context.Request.Query["ids"], options.Value.MaxIds, out var ids) is { } error)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, error);
            return;
        }

        RateLimitLease.Of(context)?.ChargeBatch(ids.Count); // a batch costs the client as many requests as it has ids
        List<GenerationId> valid = [.. ids.Select(static text => GenerationId.TryParse(text, null, out var id) ? id : default).Where(static id => id.Value.Length > 0)];
        var hidden = await ownership.FindHiddenAsync(valid, RateLimitLease.Of(context)?.Client, context.RequestAborted);
        var items = new Item[ids.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, ids.Count),
            new ParallelOptions { MaxDegreeOfParallelism = ParallelReads, CancellationToken = context.RequestAborted },
            async (index, token) => items[index] = await ReadOneAsync(context, reader, ids[index], hidden, token));

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "private, no-cache";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteStartArray("generations"u8);
        for (var i = 0; i < items.Length; i++)
        {
            WriteItem(json, ids[i], items[i]);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }

    /// <summary>Writes a <see cref="BatchItem"/>. The generation is the body of the cache entry, unchanged.</summary>
    private static void WriteItem(Utf8JsonWriter json, string id, Item item)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WritePropertyName("generation"u8);
        if (item.Problem is null)
        {
            json.WriteRawValue(item.Generation.Span, skipInputValidation: true);
            json.WriteNull("problem"u8);
        }
        else
        {
            json.WriteNullValue();
            json.WritePropertyName("problem"u8);
            JsonSerializer.Serialize(json, item.Problem, ContractsJson.Web.Problem);
        }

        json.WriteEndObject();
    }

    private static async Task<Item> ReadOneAsync(HttpContext context, GenerationReader reader, string text, IReadOnlySet<GenerationId> hidden, CancellationToken token)
    {
        if (!GenerationId.TryParse(text, null, out var id))
        {
            return new Item(default, ProblemWriter.CreateProblem(context, ProblemKinds.InvalidId));
        }

        if (hidden.Contains(id))
        {
            return new Item(default, ProblemWriter.CreateProblem(context, ProblemKinds.GenerationNotFound));
        }

        try
        {
            return new Item((await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), token)).Entry!.Body, null);
        }
        catch (UpstreamException exception)
        {
            return new Item(default, ProblemWriter.CreateProblem(context, ProblemKinds.Of(exception.Fault)));
        }
    }

    private readonly record struct Item(ReadOnlyMemory<byte> Generation, Problem? Problem);
}
