using System.Text.Json;
using System.Text.Json.Serialization;

namespace LumaGateway.Features.Passthrough;

/// <summary>What is remembered of a create under its <c>Idempotency-Key</c>.</summary>
/// <param name="Owner">Who runs it: no two records are the same.</param>
/// <param name="Fingerprint">Of query and body.</param>
/// <param name="Until">While it runs: when it must be over, or its outcome is unknown.</param>
/// <param name="IsUnknown">Whether it is over and nobody knows how.</param>
/// <param name="Answer">The answer, once it is settled.</param>
internal sealed record CreateRecord(string Owner, string Fingerprint, DateTimeOffset Until, bool IsUnknown = false, CreateAnswer? Answer = null)
{
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, CreateRecordJson.Default.CreateRecord);

    /// <summary>A record that cannot be read stands for a create of which nothing is known.</summary>
    public static CreateRecord? Read(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, CreateRecordJson.Default.CreateRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A settled answer, as it is given again.</summary>
internal sealed record CreateAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body);

[JsonSerializable(typeof(CreateRecord))]
internal sealed partial class CreateRecordJson : JsonSerializerContext;
