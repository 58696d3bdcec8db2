using System.Text.Json;
using System.Text.Json.Serialization;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>What is remembered of a create under its <c>Idempotency-Key</c>.</summary>
/// <param name="Owner">Who runs it: no two records are the same.</param>
/// <param name="Fingerprint">Of query and body.</param>
/// <param name="Until">While it runs: when it must be over, or its outcome is unknown.</param>
/// <param name="IsUnknown">Whether it is over and nobody knows how.</param>
/// <param name="Answer">The answer, once it is settled.</param>
internal sealed record IdempotencyRecord(string Owner, string Fingerprint, DateTimeOffset Until, bool IsUnknown = false, RecordedResponse? Answer = null)
{
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, IdempotencyRecordJson.Default.IdempotencyRecord);

    /// <summary>A record that cannot be read stands for a create of which nothing is known.</summary>
    public static IdempotencyRecord? Read(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, IdempotencyRecordJson.Default.IdempotencyRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A settled answer, as it is given again.</summary>
internal sealed record RecordedResponse(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body);

[JsonSerializable(typeof(IdempotencyRecord))]
internal sealed partial class IdempotencyRecordJson : JsonSerializerContext;
