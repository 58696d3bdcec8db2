using System.Text;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The messages that another program publishes on the replicas' channel.</summary>
internal static class ForgedMessages
{
    private const int SignatureBytes = 32;

    /// <summary>Larger than <c>ReplicaBus</c> accepts.</summary>
    private const int TooLarge = 5_000_000;

    private static readonly byte[][] Malformed =
    [
        .. new[] { "", " ", "pause", "pause -1", "pause 9999999999999999999", "purge", "purge ../etc", "change x", "change x !", "want", "lead", "nudge ../etc", "unknown message" }.Select(Encoding.UTF8.GetBytes),
        [0xFF, 0xFE, 0x00, 0xC3],
    ];

    /// <summary>Replicas without a signing key accept well-formed messages, so they get only malformed ones.</summary>
    /// <param name="isSigned">Whether the replicas have a signing key.</param>
    /// <param name="withLarge">Whether to add a message that is larger than replicas accept.</param>
    public static IEnumerable<byte[]> Of(bool isSigned, bool withLarge) =>
    [
        .. Malformed,
        .. isSigned ? [.. Forged("pause 300000"), .. Forged($"purge {Ids.Cached[0]}")] : Array.Empty<byte[]>(),
        .. withLarge ? [Encoding.UTF8.GetBytes(new string('x', TooLarge))] : Array.Empty<byte[]>(),
    ];

    /// <summary>One message without a signature and one with an invalid signature.</summary>
    private static IEnumerable<byte[]> Forged(string text) =>
    [
        Encoding.UTF8.GetBytes(text),
        [.. Encoding.UTF8.GetBytes($"{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()} {text}"), .. new byte[SignatureBytes]],
    ];
}
