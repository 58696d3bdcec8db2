using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Maps the read of several generations: always 200, each with its own problem where it has one.</summary>
internal static class BatchEndpoints
{
    public static void MapGenerationBatch(this IEndpointRouteBuilder app) =>
        app.MapGet("/generations", ReadAsync)
            .WithTags("Generations")
            .WithName("GetGenerations")
            .WithSummary("Several generations at once")
            .WithDescription("In the order asked, each once. One that cannot be read is there as its id and its problem, and spoils no others.")
            .Produces<GenerationBatch>(StatusCodes.Status200OK, "application/json")
            .RequireRight(Rights.Read);

    private static async Task ReadAsync(HttpContext context, GenerationReader reader, IOptions<BatchOptions> options)
    {
        if (BatchIds.TryRead(context.Request.Query["ids"], options.Value.MaxIds, out var ids) is { } complaint)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, complaint);
            return;
        }

        RateLimitLease.Of(context)?.Admit(ids.Count); // several at once are no cheaper than one by one
        var items = new ReadOnlyMemory<byte>[ids.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, ids.Count),
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.Parallel, CancellationToken = context.RequestAborted },
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

    private static async Task<ReadOnlyMemory<byte>> ReadOneAsync(HttpContext context, GenerationReader reader, string sent, CancellationToken token)
    {
        if (!GenerationId.TryParse(sent, null, out var id))
        {
            return Problem(context, sent, ProblemKinds.InvalidId);
        }

        try
        {
            return (await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), token)).Entry!.Body;
        }
        catch (UpstreamException exception)
        {
            return Problem(context, sent, ProblemKinds.Of(exception.Fault));
        }
    }

    private static byte[] Problem(HttpContext context, string id, ProblemKind kind) =>
        JsonSerializer.SerializeToUtf8Bytes(new BatchItem(id, ProblemWriter.Describe(context, kind)), ContractsJson.Web.BatchItem);
}
