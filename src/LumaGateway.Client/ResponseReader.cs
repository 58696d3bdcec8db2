using System.Net.Http.Json;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>Reads the gateway's responses. Throws <see cref="JsonException"/> for a body of another shape.</summary>
internal static class ResponseReader
{
    public static async Task<Generation> ReadGenerationAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        await response.Content.ReadFromJsonAsync(ContractsJson.Web.Generation, cancellationToken) is { Id: not null } generation
            ? generation
            : throw new JsonException("Not a generation.");

    public static async Task<List<GenerationResult>> ReadBatchAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var body = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), default, cancellationToken);
        return [.. body.RootElement.GetProperty("generations").EnumerateArray().Select(ReadItem)];
    }

    private static GenerationResult ReadItem(JsonElement item)
    {
        var id = item.GetProperty("id").GetString()!;
        return item.TryGetProperty("problem", out var problem)
            ? new GenerationResult(id, null, problem.Deserialize(ContractsJson.Web.Problem))
            : new GenerationResult(id, item.Deserialize(ContractsJson.Web.Generation), null);
    }
}
