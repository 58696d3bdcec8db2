using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>Where a generation stands. The set is closed; <c>completed</c> and <c>failed</c> are terminal.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GenerationState>))]
public enum GenerationState
{
    /// <summary>Accepted, not begun.</summary>
    [JsonStringEnumMemberName("queued")]
    Queued,

    /// <summary>Being made, or in a state that the gateway does not know.</summary>
    [JsonStringEnumMemberName("processing")]
    Processing,

    /// <summary>Made. Its links may still be missing for a moment.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>Given up or cancelled; <see cref="Generation.Failure"/> says why.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}
