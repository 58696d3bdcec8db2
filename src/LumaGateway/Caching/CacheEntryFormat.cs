using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace LumaGateway.Caching;

/// <summary>
/// The binary form of an entry: checksum (XXH3, 8 bytes), kind, four times (UTC ticks), lengths of subject and side data, subject, side data, body.
/// Damaged bytes and bytes of another subject are rejected.
/// </summary>
internal static class CacheEntryFormat
{
    private const int ChecksumLength = 8;
    private const int FixedLength = ChecksumLength + 1 + (4 * sizeof(long)) + 1 + sizeof(int);

    public static byte[] Write(CacheEntry entry)
    {
        var subjectLength = Encoding.UTF8.GetByteCount(entry.Subject.Id);
        var bytes = new byte[FixedLength + subjectLength + entry.Side.Length + entry.Body.Length];
        var rest = bytes.AsSpan(ChecksumLength);
        rest[0] = (byte)entry.Kind;
        BinaryPrimitives.WriteInt64LittleEndian(rest[1..], entry.StoredAt.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(rest[9..], entry.FreshUntil.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(rest[17..], entry.StaleUntil.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(rest[25..], entry.AskedAt.UtcTicks);
        rest[33] = checked((byte)subjectLength);
        BinaryPrimitives.WriteInt32LittleEndian(rest[34..], entry.Side.Length);
        Encoding.UTF8.GetBytes(entry.Subject.Id, rest[38..]);
        entry.Side.CopyTo(rest[(38 + subjectLength)..]);
        entry.Body.CopyTo(rest[(38 + subjectLength + entry.Side.Length)..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, XxHash3.HashToUInt64(rest));
        return bytes;
    }

    /// <summary>Returns null if the bytes are not an intact entry of <paramref name="subject"/>.</summary>
    public static CacheEntry? Read(CacheKey subject, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedLength
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != XxHash3.HashToUInt64(bytes[ChecksumLength..]))
        {
            return null;
        }

        var rest = bytes[ChecksumLength..];
        var body = rest[38..];
        var subjectLength = rest[33];
        var sideLength = BinaryPrimitives.ReadInt32LittleEndian(rest[34..]);
        if (rest[0] > (byte)EntryKind.Absent || sideLength < 0 || body.Length - subjectLength < sideLength
            || Encoding.UTF8.GetString(body[..subjectLength]) != subject.Id)
        {
            return null;
        }

        return new CacheEntry(
            subject,
            (EntryKind)rest[0],
            body[(subjectLength + sideLength)..].ToArray(),
            TimeAt(rest[1..]),
            TimeAt(rest[9..]),
            TimeAt(rest[17..]),
            body.Slice(subjectLength, sideLength).ToArray(),
            TimeAt(rest[25..]));
    }

    private static DateTimeOffset TimeAt(ReadOnlySpan<byte> bytes) =>
        new(Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(bytes), 0, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
}
