using System.Net.Http.Json;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>Reads the gateway's responses. Throws <see cref="JsonException"/> for a body of another shape.</summary>
internal static class ResponseReader
{
    public static async Task<Generation> ReadGenerationAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        Complete(await response.Content.ReadFromJsonAsync(ContractsJson.Web.Generation, cancellationToken));

    /// <summary>Reads the data of a <c>generation</c> or <c>problem</c> event; null for an event of another kind.</summary>
    public static BatchItem? ReadEvent(string kind, ReadOnlySpan<byte> data) => kind switch
    {
        "generation" => Complete(JsonSerializer.Deserialize(data, ContractsJson.Web.Generation)) is var generation ? new BatchItem(generation.Id, generation, null) : null,
        "problem" => JsonSerializer.Deserialize(data, ContractsJson.Web.BatchItem) is { Id: not null, Generation: null, Problem: not null } item ? item : throw new JsonException("Not a problem."),
        _ => null,
    };

    public static async Task<GenerationTicket> ReadTicketAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        await response.Content.ReadFromJsonAsync(ContractsJson.Web.GenerationTicket, cancellationToken) is { Ticket: not null } ticket ? ticket : throw new JsonException("Not a ticket.");

    public static async Task<JobList> ReadJobsAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        await response.Content.ReadFromJsonAsync(ContractsJson.Web.JobList, cancellationToken) is { Jobs: not null } jobs ? jobs : throw new JsonException("Not a list of jobs.");

    public static async Task<List<BatchItem>> ReadBatchAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var body = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
        return [.. body.RootElement.GetProperty("generations").EnumerateArray().Select(ReadItem)];
    }

    /// <summary>A gateway of an earlier version sends no outputs.</summary>
    private static Generation Complete(Generation? generation) => generation is { Id: not null }
        ? generation with { Outputs = generation.Outputs ?? [] }
        : throw new JsonException("Not a generation.");

    private static BatchItem ReadItem(JsonElement item)
    {
        var problem = item.TryGetProperty("problem", out var sent) ? sent.Deserialize(ContractsJson.Web.Problem) : null;
        var body = item.TryGetProperty("generation", out var member) ? member : item; // gateways differ: a member of the item, or the item itself
        return new BatchItem(item.GetProperty("id").GetString()!, problem is null ? Complete(body.Deserialize(ContractsJson.Web.Generation)) : null, problem);
    }
}
