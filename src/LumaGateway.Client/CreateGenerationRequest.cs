using System.Text.Json.Nodes;

namespace LumaGateway.Client;

/// <summary>What to generate. Members that are null are not sent. The gateway refuses a value that the upstream cannot express.</summary>
public sealed record CreateGenerationRequest
{
    /// <summary><c>video</c> or <c>image</c>.</summary>
    public string? Type { get; init; }
    /// <summary>The text to generate from. Required without a source.</summary>
    public string? Prompt { get; init; }
    /// <summary>The upstream's name of the model.</summary>
    public string? Model { get; init; }
    /// <summary>Such as <c>16:9</c>.</summary>
    public string? AspectRatio { get; init; }
    /// <summary>The requested duration in seconds.</summary>
    public double? Duration { get; init; }
    /// <summary>Such as <c>720p</c>.</summary>
    public string? Resolution { get; init; }
    /// <summary>Whether the end of the video joins its start.</summary>
    public bool? Loop { get; init; }
    /// <summary>The URL of the first frame.</summary>
    public string? StartImage { get; init; }
    /// <summary>The URL of the last frame.</summary>
    public string? EndImage { get; init; }
    /// <summary>The URL of a video to change.</summary>
    public string? SourceVideo { get; init; }
    /// <summary>The URLs of images to follow.</summary>
    public IReadOnlyList<string>? ReferenceImages { get; init; }
    /// <summary>What must not be in the result.</summary>
    public string? NegativePrompt { get; init; }
    /// <summary>The seed of the random numbers.</summary>
    public long? Seed { get; init; }
    /// <summary>The address that gets the upstream's callbacks.</summary>
    public string? CallbackUrl { get; init; }
    /// <summary>Members of one kind of upstream only, by the name of its dialect.</summary>
    public JsonObject? Options { get; init; }
}
