using System.IO.Compression;

namespace LumaGateway.Upstreams;

/// <summary>
/// Decompresses the body of an upstream's response. The HTTP handler does not: its layer costs every response time, compressed or not, and it does not know
/// <c>x-gzip</c>.
/// </summary>
internal static class ContentDecoder
{
    /// <summary>The value of <c>Accept-Encoding</c>.</summary>
    public const string Accepted = "gzip, deflate, br";

    /// <param name="encoding">The value of <c>Content-Encoding</c>; empty if there is none.</param>
    /// <param name="encoded">The body.</param>
    /// <returns>The decompressed body, or <paramref name="encoded"/> itself if it is not compressed; null if the encoding is unknown.</returns>
    public static Stream? Decode(string encoding, Stream encoded) => encoding.Trim().ToLowerInvariant() switch
    {
        "" or "identity" => encoded,
        "gzip" or "x-gzip" => // RFC 9110, section 8.4.1.3
            new GZipStream(encoded, CompressionMode.Decompress),
        "br" => new BrotliStream(encoded, CompressionMode.Decompress),
        "deflate" => new ZLibStream(encoded, CompressionMode.Decompress),
        _ => null,
    };

    /// <summary>Whether a decoder throws this exception for a damaged body: <see cref="BrotliStream"/> throws another type than the others.</summary>
    public static bool IsDamage(Exception exception) => exception is InvalidDataException or (InvalidOperationException and not ObjectDisposedException);
}
