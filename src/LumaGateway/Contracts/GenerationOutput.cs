using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>One result of a generation.</summary>
/// <param name="Type"><c>video</c> or <c>image</c>; for another type the upstream's own word, unchanged.</param>
/// <param name="Url">Absolute http(s) URL.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Duration">In seconds, of the finished file.</param>
/// <param name="Role">What the file is for; null for a file whose type is neither video nor image.</param>
/// <param name="Layer">The position of the file in a layered image; null for other files.</param>
public sealed record GenerationOutput(string Type, string Url, int? Width, int? Height, double? Duration, OutputRole? Role, OutputLayer? Layer)
{
    /// <summary>The <see cref="Type"/> of a video.</summary>
    public const string Video = "video";

    /// <summary>The <see cref="Type"/> of an image.</summary>
    public const string Image = "image";
}

/// <summary>What an output is for.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OutputRole>))]
public enum OutputRole
{
    /// <summary>A result that the caller asked for.</summary>
    [JsonStringEnumMemberName("main")]
    Main,

    /// <summary>A preview image of the video.</summary>
    [JsonStringEnumMemberName("thumbnail")]
    Thumbnail,

    /// <summary>The last frame of the video.</summary>
    [JsonStringEnumMemberName("last_frame")]
    LastFrame,
}

/// <summary>The position of an output in a layered image, as the upstream describes it.</summary>
/// <param name="Index">From 0 (front) to the highest (background).</param>
/// <param name="Label">A short name.</param>
/// <param name="Description">What the layer shows.</param>
/// <param name="Alpha">The kind of transparency: <c>soft</c>, <c>hard</c> or <c>none</c>.</param>
public sealed record OutputLayer(int? Index, string? Label, string? Description, string? Alpha);
