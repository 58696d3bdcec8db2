using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>One generation, the same for every upstream. Every key is always written; null where the upstream said nothing.</summary>
/// <param name="Id">The id that was asked for.</param>
/// <param name="State">Where it stands.</param>
/// <param name="CreatedAt">When the upstream took it in, RFC 3339, UTC.</param>
/// <param name="Model">The upstream's name of the model.</param>
/// <param name="Prompt">The prompt it is made from.</param>
/// <param name="AspectRatio">As the upstream spells it, such as <c>16:9</c>.</param>
/// <param name="Video">The finished video.</param>
/// <param name="Image">The finished image.</param>
/// <param name="Thumbnail">A small picture of the video.</param>
/// <param name="LastFrame">The video's last frame, for extending it.</param>
/// <param name="Failure">Why it failed; non-null exactly when <paramref name="State"/> is failed.</param>
/// <param name="ExpiresAt">When the earliest of the URLs given stops working, RFC 3339, UTC; null when none is signed.</param>
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
    GenerationFailure? Failure,
    [property: JsonConverter(typeof(Rfc3339Converter))] DateTimeOffset? ExpiresAt)
{
    /// <summary>Whether the state will never change again.</summary>
    [JsonIgnore]
    public bool IsTerminal => State is GenerationState.Completed or GenerationState.Failed;

    /// <summary>Whether any link to something made is there.</summary>
    [JsonIgnore]
    public bool HasAsset => Video is not null || Image is not null;
}
