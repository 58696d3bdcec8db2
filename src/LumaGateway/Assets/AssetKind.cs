using LumaGateway.Contracts;

namespace LumaGateway.Assets;

/// <summary>The files of a generation. The set is closed.</summary>
internal enum AssetKind
{
    Video,
    Image,
    Thumbnail,
    LastFrame,
}

/// <summary>Names and links of each kind.</summary>
internal static class AssetKinds
{
    /// <summary>The last path segment of the endpoint, and the JSON key of the asset in <see cref="Generation"/>.</summary>
    public static string NameOf(AssetKind kind) => kind switch
    {
        AssetKind.Video => "video",
        AssetKind.Image => "image",
        AssetKind.Thumbnail => "thumbnail",
        AssetKind.LastFrame => "last_frame",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The upstream's link; null if the generation has no such asset.</summary>
    public static string? LinkOf(AssetKind kind, Generation generation) => kind switch
    {
        AssetKind.Video => generation.Video?.Url,
        AssetKind.Image => generation.Image?.Url,
        AssetKind.Thumbnail => generation.Thumbnail?.Url,
        AssetKind.LastFrame => generation.LastFrame?.Url,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>A name such as <c>4665a07c.mp4</c> or <c>4665a07c-thumbnail.jpg</c>. It needs no escaping in <c>Content-Disposition</c>.</summary>
    public static string FileNameOf(AssetKind kind, GenerationId id, string mediaType)
    {
        var extension = mediaType.ToLowerInvariant() switch
        {
            "video/mp4" => "mp4",
            "video/webm" => "webm",
            "video/quicktime" => "mov",
            "image/jpeg" => "jpg",
            "image/png" => "png",
            "image/webp" => "webp",
            "image/gif" => "gif",
            "image/avif" => "avif",
            "image/heic" => "heic",
            "image/x-exr" => "exr",
            "video/x-matroska" => "mkv",
            _ when mediaType.StartsWith("video/", StringComparison.OrdinalIgnoreCase) => "video",
            _ => "image",
        };

        return kind is AssetKind.Video or AssetKind.Image ? $"{id}.{extension}" : $"{id}-{NameOf(kind).Replace('_', '-')}.{extension}";
    }
}
