using LumaGateway.Contracts;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace LumaGateway.Caching;

/// <summary>
/// The binary form of an entry: checksum (XXH3, 8 bytes), kind and flag, four times (UTC ticks), lengths of key, metadata and token, key, metadata, token, body.
/// The token is that of earlier versions and is not used. Damaged bytes and bytes of another key are rejected.
/// </summary>
internal static class CacheEntryFormat
{
    private const byte UnknownStateFlag = 0x80;
    private const int ChecksumLength = 8;
    private const int FixedLength = ChecksumLength + 1 + (4 * sizeof(long)) + sizeof(ushort) + (2 * sizeof(int));

    public static byte[] Write(CacheEntry entry)
    {
        var keyLength = entry.Key.Value.Length; // ASCII, at most GenerationId.MaxLength characters
        var bytes = new byte[FixedLength + keyLength + entry.Metadata.Length + entry.Body.Length];
        var rest = bytes.AsSpan(ChecksumLength);
        rest[0] = (byte)((byte)entry.Kind | (entry.IsStateUnknown ? UnknownStateFlag : 0));
        BinaryPrimitives.WriteInt64LittleEndian(rest[1..], entry.StoredAt.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(rest[9..], entry.FreshUntil.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(rest[17..], entry.StaleUntil.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(rest[25..], entry.RequestedAt.UtcTicks);
        BinaryPrimitives.WriteUInt16LittleEndian(rest[33..], (ushort)keyLength);
        BinaryPrimitives.WriteInt32LittleEndian(rest[35..], entry.Metadata.Length);
        rest = rest[43..]; // the length of the token stays 0
        Encoding.ASCII.GetBytes(entry.Key.Value, rest);
        entry.Metadata.CopyTo(rest[keyLength..]);
        entry.Body.CopyTo(rest[(keyLength + entry.Metadata.Length)..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, XxHash3.HashToUInt64(bytes.AsSpan(ChecksumLength)));
        return bytes;
    }

    /// <summary>Returns null if the bytes are not an intact entry of <paramref name="key"/>.</summary>
    public static CacheEntry? Read(GenerationId key, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedLength
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != XxHash3.HashToUInt64(bytes[ChecksumLength..]))
        {
            return null;
        }

        var rest = bytes[ChecksumLength..];
        var body = rest[43..];
        var keyLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[33..]);
        var metadataLength = BinaryPrimitives.ReadInt32LittleEndian(rest[35..]);
        var tokenLength = BinaryPrimitives.ReadInt32LittleEndian(rest[39..]);
        var kind = rest[0] & ~UnknownStateFlag;
        if (kind > (byte)EntryKind.NotFound || metadataLength < 0 || tokenLength < 0 || (long)keyLength + metadataLength + tokenLength > body.Length
            || !Ascii.Equals(body[..keyLength], key.Value))
        {
            return null;
        }

        return new CacheEntry(
            key,
            (EntryKind)kind,
            body[(keyLength + metadataLength + tokenLength)..].ToArray(),
            TimeAt(rest[1..]),
            TimeAt(rest[9..]),
            TimeAt(rest[17..]))
        {
            Metadata = body.Slice(keyLength, metadataLength).ToArray(),
            RequestedAt = TimeAt(rest[25..]),
            IsStateUnknown = (rest[0] & UnknownStateFlag) != 0,
        };
    }

    private static DateTimeOffset TimeAt(ReadOnlySpan<byte> bytes) =>
        new(Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(bytes), 0, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
}
