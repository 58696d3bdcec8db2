using System.Text.Json;
using System.Text.Json.Serialization;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// The stored state of a create with an <c>Idempotency-Key</c>. The JSON names are fixed: replicas of several versions share the records.
/// </summary>
/// <param name="ClaimId">A random id, so that no two records are equal.</param>
/// <param name="Fingerprint">A digest of query and body.</param>
/// <param name="Deadline">When a create that is still running counts as unknown.</param>
/// <param name="IsOutcomeUnknown">Whether the create has ended with an unknown outcome.</param>
/// <param name="Response">The response to replay, if the create is settled.</param>
internal sealed record IdempotencyRecord(
    [property: JsonPropertyName("Owner")] string ClaimId,
    string Fingerprint,
    [property: JsonPropertyName("Until")] DateTimeOffset Deadline,
    [property: JsonPropertyName("IsUnknown")] bool IsOutcomeUnknown = false,
    [property: JsonPropertyName("Answer")] RecordedResponse? Response = null)
{
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, IdempotencyRecordJson.Default.IdempotencyRecord);

    /// <summary>Returns null if the bytes are not a record.</summary>
    public static IdempotencyRecord? Deserialize(byte[] bytes)
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

/// <summary>The response of a settled create, to be replayed.</summary>
internal sealed record RecordedResponse(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body);

[JsonSerializable(typeof(IdempotencyRecord))]
internal sealed partial class IdempotencyRecordJson : JsonSerializerContext;
