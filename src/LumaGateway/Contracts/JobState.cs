using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>The last state of a job that the gateway has seen.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobState>))]
public enum JobState
{
    /// <summary>The create is being sent, or its outcome is unknown. The job has no id.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown,

    /// <summary>Accepted, not started.</summary>
    [JsonStringEnumMemberName("queued")]
    Queued,

    /// <summary>In progress.</summary>
    [JsonStringEnumMemberName("processing")]
    Processing,

    /// <summary>Completed.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>Failed or canceled.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}
