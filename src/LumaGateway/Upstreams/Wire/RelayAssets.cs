using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// The assets of a body of the relay family, which new-api and PiAPI wrap: the clean video before the possibly watermarked one, the
/// top level before <c>artifact</c>, which repeats it.
/// </summary>
internal static class RelayAssets
{
    /// <summary>Reads what is there; all null where the body is no object.</summary>
    public static WireAssets Read(JsonElement body)
    {
        var artifact = body.Member("artifact");
        return new WireAssets(
            Video: VideoOf(body, artifact),
            Image: PictureOf(body, artifact, "image"),
            Thumbnail: ThumbnailOf(body) ?? ThumbnailOf(artifact),
            LastFrame: PictureOf(body, artifact, "last_frame"));
    }

    private static VideoAsset? VideoOf(JsonElement body, JsonElement artifact) =>
        (LinkIn(body) ?? LinkIn(artifact)) is not { } link
            ? null
            : Measured(
                link.Url,
                link.Video,
                [body.Member("video_raw"), body.Member("video"), artifact.Member("video_raw"), artifact.Member("video")]);

    private static (string Url, JsonElement Video)? LinkIn(JsonElement source)
    {
        var raw = source.Member("video_raw");
        var video = source.Member("video");
        if (raw.AssetUrl() is { } clean)
        {
            return (clean, raw);
        }

        return (video.Member("download_url").WebUrl() ?? video.AssetUrl()) is { } url ? (url, video) : null;
    }

    // The link often stands on one object and its measures on another: all of them describe the same finished file.
    private static VideoAsset Measured(string url, JsonElement chosen, ReadOnlySpan<JsonElement> others)
    {
        var width = chosen.Member("width").Pixels();
        var height = chosen.Member("height").Pixels();
        var duration = chosen.Member("duration").Seconds();
        foreach (var other in others)
        {
            width ??= other.Member("width").Pixels();
            height ??= other.Member("height").Pixels();
            duration ??= other.Member("duration").Seconds();
        }

        return new VideoAsset(url, width, height, duration);
    }

    private static ImageAsset? ThumbnailOf(JsonElement body) =>
        WireAssets.ReadImage(body.Member("thumbnail")) ?? WireAssets.ReadImage(body.Member("video").Member("thumbnail"));

    private static ImageAsset? PictureOf(JsonElement body, JsonElement artifact, string name) =>
        WireAssets.ReadImage(body.Member(name)) ?? WireAssets.ReadImage(artifact.Member(name));
}
