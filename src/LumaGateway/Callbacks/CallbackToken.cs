using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Callbacks;

/// <summary>
/// The last segment of one create's callback address: the hour it was made in, a random number, and their HMAC-SHA256 under the configured secret. Whoever
/// reads it learns nothing of the secret, and can use it for a day at most. It names no generation, since the id is not known before the create is sent. Pure.
/// </summary>
internal static class CallbackToken
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    private const int SignedBytes = 12; // 4 of the hour, 8 random
    private const int Bytes = SignedBytes + 16;

    /// <summary>Keeps the signature apart from any other use of the same secret.</summary>
    private static readonly byte[] Purpose = "luma-gateway callback"u8.ToArray();

    public static string Create(string secret, DateTimeOffset now)
    {
        Span<byte> token = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt32BigEndian(token, HourOf(now));
        RandomNumberGenerator.Fill(token[4..SignedBytes]);
        Sign(secret, token[..SignedBytes], token[SignedBytes..]);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>Takes as long for a wrong signature as for a right one.</summary>
    public static bool IsGood(string text, string secret, DateTimeOffset now)
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
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), [.. Purpose, .. signed], whole);
        whole[..signature.Length].CopyTo(signature);
    }
}
