using System.Buffers;
using System.Net.Http.Headers;

namespace LumaGateway.Assets;

/// <summary>The media type of an asset: from the CDN's <c>Content-Type</c>, or from the first bytes of the file if the header says nothing. Pure.</summary>
internal static class AssetMediaType
{
    /// <summary>How many bytes <see cref="OfFirstBytes"/> reads at most.</summary>
    public const int FirstBytes = 64;

    /// <summary>The result of <see cref="OfHeader"/> if the header says nothing about the content (RFC 9110, section 8.3).</summary>
    public const string Unspecified = "";

    /// <summary>The type of a file that is neither a video nor an image. Callers save it, because it is sent as an attachment with <c>nosniff</c>.</summary>
    public const string Unknown = "application/octet-stream";

    /// <summary>The characters of a token (RFC 9110, section 5.6.2).</summary>
    private static readonly SearchValues<char> Token =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");

    /// <summary>
    /// The type without parameters, in lower case; null if it is neither a video nor an image, or if several values differ. Accepts empty parameters and repeated values.
    /// </summary>
    public static string? OfHeader(HttpContentHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues("Content-Type", out var values))
        {
            return Unspecified;
        }

        var types = values
            .SelectMany(static value => value.Split(','))
            .Select(static value => value.Split(';')[0].Trim().ToLowerInvariant())
            .Where(static type => type is not (Unspecified or Unknown or "binary/octet-stream"))
            .Distinct()
            .ToList();

        return types switch
        {
            [] => Unspecified,
            [var type] when IsMedia(type) => type,
            _ => null,
        };
    }

    /// <summary>The type that the first bytes show; null if they do not show a file of the kind.</summary>
    /// <param name="media"><c>video</c> or <c>image</c>. Null for a file of another kind: then bytes that show nothing are <see cref="Unknown"/>.</param>
    /// <param name="bytes">The first <see cref="FirstBytes"/> bytes of the file, or the whole file if it is shorter.</param>
    public static string? OfFirstBytes(string? media, ReadOnlySpan<byte> bytes)
    {
        var type = TypeOf(bytes);
        return media is null ? type ?? Unknown : type?.Split('/')[0] == media ? type : null;
    }

    /// <summary>The extension of a file name, without the dot.</summary>
    public static string ExtensionOf(string mediaType) => mediaType.ToLowerInvariant() switch
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
        Unknown => "bin",
        _ when mediaType.StartsWith("video/", StringComparison.OrdinalIgnoreCase) => "video",
        _ => "image",
    };

    private static bool IsMedia(string type) =>
        type.Split('/') is [("video" or "image"), { Length: > 0 } subtype] && !subtype.AsSpan().ContainsAnyExcept(Token);

    private static string? TypeOf(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => "image/png",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => "image/gif",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "image/webp",
        [0x76, 0x2F, 0x31, 0x01, ..] => "image/x-exr",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => bytes.IndexOf("webm"u8) >= 0 ? "video/webm" : "video/x-matroska",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', _, _, _, _, ..] => TypeOfBrand(bytes[8..12]),

        // QuickTime files of before 2001 have no ftyp box (ISO/IEC 14496-12).
        [_, _, _, _, (byte)'m', (byte)'o', (byte)'o', (byte)'v', ..] => "video/quicktime",
        _ => null,
    };

    /// <summary>The type of an ISO base media file, by its major brand.</summary>
    private static string TypeOfBrand(ReadOnlySpan<byte> brand) =>
        brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8) ? "image/avif"
        : brand.SequenceEqual("heic"u8) || brand.SequenceEqual("heix"u8) || brand.SequenceEqual("mif1"u8) ? "image/heic"
        : brand.SequenceEqual("qt  "u8) ? "video/quicktime"
        : "video/mp4";
}
