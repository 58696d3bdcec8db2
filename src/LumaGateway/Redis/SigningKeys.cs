using System.Security.Cryptography;
using System.Text;
using LumaGateway.Configuration;

namespace LumaGateway.Redis;

/// <summary>The kinds of signed data. Each kind has its own key, so that bytes of one kind do not verify as another.</summary>
internal enum SignedKind
{
    /// <summary>A cache entry.</summary>
    Entry,

    /// <summary>A message between replicas.</summary>
    Message,

    /// <summary>An idempotency record.</summary>
    Record,

    /// <summary>A ticket. It is not written to Redis.</summary>
    Ticket,
}

/// <summary>
/// The keys derived from <c>Cache:SigningKey</c> with HKDF-SHA256 (RFC 5869): of one configured key, or of two during a rotation. The first signs, both
/// verify. Has no text form, so that no log or exception can contain a key.
/// </summary>
internal sealed class SigningKeys
{
    /// <summary>The form of a key, for messages.</summary>
    public const string Form = "32 to 1024 visible ASCII characters";

    private const int DerivedLength = 32;

    /// <summary>By configured key, then by <see cref="SignedKind"/>.</summary>
    private readonly byte[][][] _derived;

    private SigningKeys(string[] keys) => _derived = [.. keys.Select(key => new[] { Derive(key, "entry"u8), Derive(key, "message"u8), Derive(key, "record"u8), Derive(key, "ticket"u8) })];

    /// <summary>Returns the keys derived from a new random key.</summary>
    public static SigningKeys CreateRandom() => new([RandomNumberGenerator.GetHexString(64)]);

    /// <summary>The number of keys, 1 or 2.</summary>
    public int Count => _derived.Length;

    /// <summary>Returns null if the text holds no key, more than two, or other text.</summary>
    public static SigningKeys? Parse(string text) =>
        SecretFile.Split(text, static key => key.Length is >= 32 and <= 1024 && key.All(c => c is > ' ' and <= '~')) is { } keys ? new SigningKeys(keys) : null;

    /// <summary>Returns null if the file is missing, unreadable, over 16 KiB, or holds no key.</summary>
    public static SigningKeys? ReadFile(string path) => SecretFile.Read(path, Parse);

    /// <param name="index">0 is the key that signs.</param>
    /// <param name="kind">What is signed.</param>
    public byte[] Of(int index, SignedKind kind) => _derived[index][(int)kind];

    public bool SameAs(SigningKeys other) =>
        Count == other.Count && _derived.Zip(other._derived).All(pair => CryptographicOperations.FixedTimeEquals(pair.First[0], pair.Second[0]));

    /// <inheritdoc/>
    public override string ToString() => "***";

    private static byte[] Derive(string key, ReadOnlySpan<byte> kind) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(key), DerivedLength, info: [.. "luma-gateway redis 1 "u8, .. kind]);
}
