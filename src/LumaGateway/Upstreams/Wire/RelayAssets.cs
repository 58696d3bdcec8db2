using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// The assets of a body of the relay family, which new-api and PiAPI wrap. Prefers the video without watermark, and the top level over its copy in
/// <c>artifact</c>.
/// </summary>
internal static class RelayAssets
{
    /// <summary>Returns an asset as null if the body does not contain it.</summary>
    public static WireAssets Read(JsonElement body)
    {
        var artifact = body.Property("artifact");
        return new WireAssets(
            Video: VideoOf(body, artifact),
            Image: ImageOf(body, artifact, "image"),
            Thumbnail: ThumbnailOf(body) ?? ThumbnailOf(artifact),
            LastFrame: ImageOf(body, artifact, "last_frame"));
    }

    private static VideoAsset? VideoOf(JsonElement body, JsonElement artifact) =>
        (FindUrl(body) ?? FindUrl(artifact)) is not { } found
            ? null
            : WithDimensions(
                found.Url,
                found.Video,
                [body.Property("video_raw"), body.Property("video"), artifact.Property("video_raw"), artifact.Property("video")]);

    private static (string Url, JsonElement Video)? FindUrl(JsonElement source)
    {
        var raw = source.Property("video_raw");
        var video = source.Property("video");
        if (raw.AsAssetUrl() is { } rawUrl)
        {
            return (rawUrl, raw);
        }

        return (video.Property("download_url").AsUrl() ?? video.AsAssetUrl()) is { } url ? (url, video) : null;
    }

    // The URL and the dimensions are often in different objects, which all describe the same file.
    private static VideoAsset WithDimensions(string url, JsonElement chosen, ReadOnlySpan<JsonElement> others)
    {
        var width = chosen.Property("width").AsPixels();
        var height = chosen.Property("height").AsPixels();
        var duration = chosen.Property("duration").AsSeconds();
        foreach (var other in others)
        {
            width ??= other.Property("width").AsPixels();
            height ??= other.Property("height").AsPixels();
            duration ??= other.Property("duration").AsSeconds();
        }

        return new VideoAsset(url, width, height, duration);
    }

    private static ImageAsset? ThumbnailOf(JsonElement body) =>
        WireAssets.ReadImage(body.Property("thumbnail")) ?? WireAssets.ReadImage(body.Property("video").Property("thumbnail"));

    private static ImageAsset? ImageOf(JsonElement body, JsonElement artifact, string name) =>
        WireAssets.ReadImage(body.Property(name)) ?? WireAssets.ReadImage(artifact.Property(name));
}
