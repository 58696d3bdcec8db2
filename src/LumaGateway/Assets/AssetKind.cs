using LumaGateway.Contracts;

namespace LumaGateway.Assets;

/// <summary>The files of a generation. The set is closed.</summary>
internal enum AssetKind
{
    Video,
    Image,
    Thumbnail,
    LastFrame,
    Output,
}

/// <summary>The name of each kind that has one file.</summary>
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
}
