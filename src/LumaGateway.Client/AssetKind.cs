namespace LumaGateway.Client;

/// <summary>A file of a generation.</summary>
public enum AssetKind
{
    /// <summary>The finished video.</summary>
    Video,
    /// <summary>The finished image.</summary>
    Image,
    /// <summary>A preview image of the video.</summary>
    Thumbnail,
    /// <summary>The video's last frame.</summary>
    LastFrame,
}
