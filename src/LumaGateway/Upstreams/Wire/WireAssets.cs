using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>The assets of a response. An asset without a usable URL is null.</summary>
internal sealed record WireAssets(
    VideoAsset? Video = null, ImageAsset? Image = null, ImageAsset? Thumbnail = null, ImageAsset? LastFrame = null)
{
    /// <summary>The earliest expiry of the URLs; null if none has a readable expiry.</summary>
    public DateTimeOffset? ExpiresAt => SignedUrl.Earliest(
        ExpiryOf(Video?.Url), ExpiryOf(Image?.Url), ExpiryOf(Thumbnail?.Url), ExpiryOf(LastFrame?.Url));

    /// <summary>Reads a video from an object with a <c>url</c>, or from a URL.</summary>
    public static VideoAsset? ReadVideo(JsonElement element) => element.AsAssetUrl() is { } url
        ? new VideoAsset(url, element.Property("width").AsPixels(), element.Property("height").AsPixels(), element.Property("duration").AsSeconds())
        : null;

    /// <summary>Reads an image from an object with a <c>url</c>, or from a URL.</summary>
    public static ImageAsset? ReadImage(JsonElement element) => element.AsAssetUrl() is { } url
        ? new ImageAsset(url, element.Property("width").AsPixels(), element.Property("height").AsPixels())
        : null;

    private static DateTimeOffset? ExpiryOf(string? url) => url is null ? null : SignedUrl.ExpiryOf(url);
}
