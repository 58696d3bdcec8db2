using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Callbacks;

/// <summary>
/// The last path segment of one create's callback URL: the hour of its creation, a random number, and their HMAC-SHA256 with the configured secret. It does not
/// reveal the secret, and is valid for a day. It contains no generation id, because the id does not exist before the create. Pure.
/// </summary>
internal static class CallbackToken
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    private const int SignedBytes = 12; // 4 bytes of the hour, 8 random bytes
    private const int Bytes = SignedBytes + 16;

    /// <summary>Domain separation: the secret may sign other messages too.</summary>
    private static readonly byte[] Purpose = "luma-gateway callback"u8.ToArray();

    public static string Create(string secret, DateTimeOffset now)
    {
        Span<byte> token = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt32BigEndian(token, HourOf(now));
        RandomNumberGenerator.Fill(token[4..SignedBytes]);
        Sign(secret, token[..SignedBytes], token[SignedBytes..]);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>Takes the same time for wrong and right signatures.</summary>
    public static bool IsValid(string text, string secret, DateTimeOffset now)
    {
        Span<byte> token = stackalloc byte[Bytes];
        if (text.Length != Base64Url.GetEncodedLength(Bytes) || !Base64Url.TryDecodeFromChars(text, token, out var length) || length != Bytes)
        {
            return false;
        }

        Span<byte> signature = stackalloc byte[Bytes - SignedBytes];
        Sign(secret, token[..SignedBytes], signature);
        return CryptographicOperations.FixedTimeEquals(signature, token[SignedBytes..])
            && HourOf(now) - BinaryPrimitives.ReadInt32BigEndian(token) <= Lifetime.TotalHours;
    }

    private static int HourOf(DateTimeOffset time) => (int)(time.ToUnixTimeSeconds() / 3600);

    private static void Sign(string secret, ReadOnlySpan<byte> signed, Span<byte> signature)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), [.. Purpose, .. signed], hash);
        hash[..signature.Length].CopyTo(signature);
    }
}
