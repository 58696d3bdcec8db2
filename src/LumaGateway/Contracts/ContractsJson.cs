using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>Serializes contracts with snake_case names, like Luma, and with null values. Use <see cref="Web"/>.</summary>
[JsonSerializable(typeof(Generation))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(CreateGenerationRequest))]
[JsonSerializable(typeof(BatchItem))]
[JsonSerializable(typeof(GenerationTicket))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobState))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(System.Text.Json.Nodes.JsonNode))]
internal sealed partial class ContractsJson : JsonSerializerContext
{
    /// <summary>The relaxed encoder does not escape <c>&amp;</c> in signed links. This is safe, because bodies are JSON and never part of HTML.</summary>
    public static ContractsJson Web { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
