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
        .. new[] { "", " ", "pause", "pause -1", "pause 9999999999999999999", "purge", "purge ../etc", "change x", "change x !", "wants", "lead", "nudge ../etc", "nobody knows this" }.Select(Encoding.UTF8.GetBytes),
        [0xFF, 0xFE, 0x00, 0xC3],
        Encoding.UTF8.GetBytes(new string('x', TooLarge)),
    ];

    /// <summary>Replicas without a signing key believe well-formed messages: they get malformed ones alone.</summary>
    public static IEnumerable<byte[]> Of(bool isSigned) => isSigned ? [.. Malformed, .. Forged($"pause 300000"), .. Forged($"purge {Ids.Treasures[0]}")] : Malformed;

    /// <summary>Without a signature, and with one that no key made.</summary>
    private static IEnumerable<byte[]> Forged(string text) =>
    [
        Encoding.UTF8.GetBytes(text),
        [.. Encoding.UTF8.GetBytes($"{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()} {text}"), .. new byte[SignatureBytes]],
    ];
}
