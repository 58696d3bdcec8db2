using System.Text;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What another program publishes on the replicas' channel.</summary>
internal static class ForgedMessages
{
    private const int SignatureBytes = 32;

    /// <summary>More than <c>ReplicaBus</c> takes.</summary>
    private const int TooLarge = 5_000_000;

    private static readonly byte[][] Malformed =
    [
        .. new[] { "", " ", "pause", "pause -1", "pause 9999999999999999999", "purge", "purge ../etc", "change x", "change x !", "want", "lead", "nudge ../etc", "nobody knows this" }.Select(Encoding.UTF8.GetBytes),
        [0xFF, 0xFE, 0x00, 0xC3],
    ];

    /// <summary>Replicas without a signing key believe well-formed messages: they get malformed ones alone.</summary>
    /// <param name="isSigned">Whether the replicas have a key.</param>
    /// <param name="withLarge">Whether one message is larger than any that a replica takes.</param>
    public static IEnumerable<byte[]> Of(bool isSigned, bool withLarge) =>
    [
        .. Malformed,
        .. isSigned ? [.. Forged("pause 300000"), .. Forged($"purge {Ids.Treasures[0]}")] : Array.Empty<byte[]>(),
        .. withLarge ? [Encoding.UTF8.GetBytes(new string('x', TooLarge))] : Array.Empty<byte[]>(),
    ];

    /// <summary>Without a signature, and with one that no key made.</summary>
    private static IEnumerable<byte[]> Forged(string text) =>
    [
        Encoding.UTF8.GetBytes(text),
        [.. Encoding.UTF8.GetBytes($"{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()} {text}"), .. new byte[SignatureBytes]],
    ];
}
