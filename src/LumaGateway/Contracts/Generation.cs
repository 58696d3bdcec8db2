using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>A generation, with the same shape for every upstream. All keys are written; unknown values are null.</summary>
/// <param name="Id">The id in the request.</param>
/// <param name="State">The state.</param>
/// <param name="CreatedAt">When the upstream accepted it, RFC 3339, UTC.</param>
/// <param name="Model">The upstream's name of the model.</param>
/// <param name="Prompt">The prompt.</param>
/// <param name="AspectRatio">In the spelling of the upstream, such as <c>16:9</c>.</param>
/// <param name="Video">The finished video; the first one if there are several.</param>
/// <param name="Image">The finished image; the first one if there are several.</param>
/// <param name="Thumbnail">A preview image of the video.</param>
/// <param name="LastFrame">The video's last frame, for extending it.</param>
/// <param name="Outputs">All results, in the upstream's order; empty while there is none.</param>
/// <param name="Failure">Why it failed; not null exactly if <paramref name="State"/> is failed.</param>
/// <param name="ExpiresAt">When the first of the signed URLs expires, RFC 3339, UTC; null if no URL is signed.</param>
public sealed record Generation(
    string Id,
    GenerationState State,
    [property: JsonConverter(typeof(Rfc3339Converter))] DateTimeOffset? CreatedAt,
    string? Model,
    string? Prompt,
    string? AspectRatio,
    VideoAsset? Video,
    ImageAsset? Image,
    ImageAsset? Thumbnail,
    ImageAsset? LastFrame,
    IReadOnlyList<GenerationOutput> Outputs,
    GenerationFailure? Failure,
    [property: JsonConverter(typeof(Rfc3339Converter))] DateTimeOffset? ExpiresAt)
{
    /// <summary>Whether the state is final.</summary>
    [JsonIgnore]
    public bool IsFinal => State is GenerationState.Completed or GenerationState.Failed;

    /// <summary>Whether it has a result that is more than a preview.</summary>
    [JsonIgnore]
    public bool HasAsset => Video is not null || Image is not null || Outputs.Any(static output => output.Role is null);
}
