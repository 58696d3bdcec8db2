using System.Text.Json;
using System.Text.Json.Serialization;
using LumaGateway.Contracts;

namespace LumaGateway.Jobs;

/// <summary>
/// The ledger's record of one create, or of an id that was found on an account. The JSON names are fixed: replicas of several versions share the records.
/// </summary>
/// <param name="Key">The generation's id. For a create without a known id: <see cref="AttemptPrefix"/> and a random text.</param>
/// <param name="Account">The name of the upstream account.</param>
/// <param name="Dialect">The account's dialect.</param>
/// <param name="Client">The client that sent the create; null for an id that was not created through the gateway.</param>
/// <param name="Group">The client's group; null for an id that was not created through the gateway.</param>
/// <param name="Model">The model, as the upstream names it; null until the gateway has read it.</param>
/// <param name="CreatedAt">When the gateway received the create, or found the id.</param>
/// <param name="IdempotencyKeyHash">SHA-256 of client, path and <c>Idempotency-Key</c> in lower-case hex; null without a key.</param>
/// <param name="State">The last state that the gateway has seen.</param>
internal sealed record Job(
    string Key,
    string Account,
    string Dialect,
    string? Client,
    string? Group,
    string? Model,
    DateTimeOffset CreatedAt,
    string? IdempotencyKeyHash,
    JobState State)
{
    /// <summary>No id contains a slash, so the key of an attempt is never the id of a generation.</summary>
    public const string AttemptPrefix = "create/";

    /// <summary>The longest model that is kept, in characters. An upstream can repeat a text of the caller, which may have a megabyte.</summary>
    private const int MaxModelLength = 256;

    /// <summary>The model, cut to <see cref="MaxModelLength"/>.</summary>
    public string? Model { get; init => field = Cut(value); } = Cut(Model);

    /// <summary>The generation; null for a create whose outcome is not known.</summary>
    [JsonIgnore]
    public GenerationId? Id => GenerationId.TryParse(Key, null, out var id) ? id : null;

    /// <summary>Whether a state that the gateway has seen is to be recorded: it is another one, and no interim state after a final one.</summary>
    public bool CanBecome(JobState state) => State != state && (state.IsFinal() || !State.IsFinal());

    public static string NewAttemptKey() => AttemptPrefix + Guid.NewGuid().ToString("N");

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, JobJson.Default.Job);

    /// <summary>Returns null if the bytes are not a job.</summary>
    public static Job? Deserialize(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, JobJson.Default.Job);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Cut(string? model) => model is null ? null : TextCut.Cut(model, MaxModelLength);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Job))]
internal sealed partial class JobJson : JsonSerializerContext;
