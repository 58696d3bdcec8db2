namespace LumaGateway.Sandbox.Assets;

/// <summary>A media type and the smallest file header that makes bytes of any length valid for it.</summary>
internal sealed record AssetKind(string MediaType, byte[] Header)
{
    // "ftyp", then an "mdat" box of size 0, which by definition reaches to the end of the file.
    private static readonly AssetKind Mp4 = new("video/mp4", [.. "\0\0\0\u0018ftypisom\0\0\u0002\0isommp41\0\0\0\0mdat"u8]);

    // One grey pixel, baseline. Readers ignore the bytes after the end marker.
    private static readonly AssetKind Jpeg = new("image/jpeg",
    [
        0xFF, 0xD8,
        0xFF, 0xDB, 0, 67, 0, .. Enumerable.Repeat((byte)1, 64),
        0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0,
        0xFF, 0xC4, 0, 20, 0x00, 1, .. new byte[15], 0,
        0xFF, 0xC4, 0, 20, 0x10, 1, .. new byte[15], 0,
        0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x3F,
        0xFF, 0xD9,
    ]);

    private static readonly AssetKind Other = new("application/octet-stream", []);

    public static AssetKind Of(string name) => Path.GetExtension(name) switch
    {
        ".mp4" => Mp4,
        ".jpg" or ".jpeg" => Jpeg,
        _ => Other,
    };
}
