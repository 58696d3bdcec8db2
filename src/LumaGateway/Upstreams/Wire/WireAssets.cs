using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>What an answer links to. An asset without a usable link is null as a whole.</summary>
internal sealed record WireAssets(
    VideoAsset? Video = null, ImageAsset? Image = null, ImageAsset? Thumbnail = null, ImageAsset? LastFrame = null)
{
    /// <summary>When the first of the links stops working; null where none says so.</summary>
    public DateTimeOffset? ExpireAt => SignedUrl.Earliest(
        ExpiryOf(Video?.Url), ExpiryOf(Image?.Url), ExpiryOf(Thumbnail?.Url), ExpiryOf(LastFrame?.Url));

    /// <summary>A video given as an object with a <c>url</c>, or as the link alone.</summary>
    public static VideoAsset? ReadVideo(JsonElement element) => element.AssetUrl() is { } url
        ? new VideoAsset(url, element.Member("width").Pixels(), element.Member("height").Pixels(), element.Member("duration").Seconds())
        : null;

    /// <summary>A picture given as an object with a <c>url</c>, or as the link alone.</summary>
    public static ImageAsset? ReadImage(JsonElement element) => element.AssetUrl() is { } url
        ? new ImageAsset(url, element.Member("width").Pixels(), element.Member("height").Pixels())
        : null;

    private static DateTimeOffset? ExpiryOf(string? url) => url is null ? null : SignedUrl.ExpiryOf(url);
}
