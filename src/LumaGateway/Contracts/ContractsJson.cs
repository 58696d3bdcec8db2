using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>How contracts are written: Luma's snake_case names, every key present, links readable. Use <see cref="Web"/>.</summary>
[JsonSerializable(typeof(Generation))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(BatchItem))]
internal sealed partial class ContractsJson : JsonSerializerContext
{
    /// <summary>The relaxed encoder leaves <c>&amp;</c> in signed links as it is: bodies go out as JSON, never into HTML.</summary>
    public static ContractsJson Web { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
