using System.Text.Json.Nodes;

namespace LumaGateway.Contracts;

/// <summary>What to generate, in the same words for every upstream. Null is the same as a missing key. Unknown keys are refused, and so is each value that the upstream cannot express.</summary>
public sealed record CreateGenerationRequest
{
    /// <summary><c>video</c> (default) or <c>image</c>.</summary>
    public string? Type { get; init; }

    /// <summary>The text. Required without an image or a video that the generation starts from.</summary>
    public string? Prompt { get; init; }

    /// <summary>The upstream's name of the model.</summary>
    public string? Model { get; init; }

    /// <summary>Such as <c>16:9</c>.</summary>
    public string? AspectRatio { get; init; }

    /// <summary>In seconds.</summary>
    public double? Duration { get; init; }

    /// <summary>Such as <c>720p</c>.</summary>
    public string? Resolution { get; init; }

    /// <summary>Whether the end of the video joins its start.</summary>
    public bool? Loop { get; init; }

    /// <summary>URL of the first frame.</summary>
    public string? StartImage { get; init; }

    /// <summary>URL of the last frame.</summary>
    public string? EndImage { get; init; }

    /// <summary>URL of a video to change.</summary>
    public string? SourceVideo { get; init; }

    /// <summary>URLs of images that guide the result.</summary>
    public IReadOnlyList<string>? ReferenceImages { get; init; }

    /// <summary>What the result must not show.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>For repeatable results.</summary>
    public long? Seed { get; init; }

    /// <summary>URL for the upstream's callbacks.</summary>
    public string? CallbackUrl { get; init; }

    /// <summary>By the name of a dialect: members for that upstream only, sent as they are.</summary>
    public JsonObject? Options { get; init; }
}
