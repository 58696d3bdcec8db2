using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>The state of a generation. <c>completed</c> and <c>failed</c> are final.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GenerationState>))]
public enum GenerationState
{
    /// <summary>Accepted, not started.</summary>
    [JsonStringEnumMemberName("queued")]
    Queued,

    /// <summary>In progress, or in a state that the gateway does not know.</summary>
    [JsonStringEnumMemberName("processing")]
    Processing,

    /// <summary>Completed. Its links may still be missing for a short time.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>Failed or canceled; <see cref="Generation.Failure"/> contains the reason.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}
