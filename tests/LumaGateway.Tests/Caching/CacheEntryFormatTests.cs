using System.Buffers.Binary;
using System.IO.Hashing;
using CsCheck;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Caching;

/// <summary>The format of an entry in Redis: bytes are read back unchanged or rejected. Needs nothing.</summary>
public sealed class CacheEntryFormatTests
{
    /// <summary>Offsets in the bytes. The first eight bytes are the checksum.</summary>
    private const int Kind = 8;
    private const int StoredAt = 9;
    private const int FreshUntil = 17;
    private const int RequestedAt = 33;
    private const int MetadataLength = 43;
    private const int TokenLength = 47;
    private const int KeyOffset = 51;

    [Theory]
    [InlineData("g1", 3, 0)]
    [InlineData("g1", 0, 0)]
    [InlineData("g1", 3, 5)]
    [InlineData("g1", 0, 5)]
    [InlineData("A-Z_09", 10_000, 300)]
    public void A_written_entry_is_read_back_unchanged(string id, int bodyLength, int metadataLength) => Assert.All(Enum.GetValues<EntryKind>(), kind =>
    {
        var entry = Entries.Any(kind, id, Bytes(bodyLength), Bytes(metadataLength));

        var read = CacheEntryFormat.Read(GenerationId.Parse(id, null), CacheEntryFormat.Write(entry))!;

        Assert.Equal(entry.Key, read.Key);
        Assert.Equal(entry.Body, read.Body);
        Assert.Equal(entry.Metadata, read.Metadata);
        Assert.Equal(entry.ETag, read.ETag);
        Assert.Equal((entry.Kind, entry.StoredAt, entry.FreshUntil, entry.StaleUntil), (read.Kind, read.StoredAt, read.FreshUntil, read.StaleUntil));
    });

    [Theory]
    [InlineData(0, "bbb")]
    [InlineData(3, "")]
    [InlineData(4, null)]
    [InlineData(int.MaxValue, null)]
    [InlineData(-1, null)]
    [InlineData(int.MinValue, null)]
    public void The_token_of_an_earlier_version_is_skipped_and_one_that_exceeds_the_bytes_is_rejected(int tokenLength, string? body) =>
        Assert.Equal(body, Read(Altered(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(TokenLength), tokenLength))).Text());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_unknown_state_is_read_back(bool isStateUnknown)
    {
        var entry = new CacheEntry(Entries.Key, EntryKind.Interim, [1], Entries.Noon, Entries.Noon, Entries.Noon) { IsStateUnknown = isStateUnknown };

        Assert.Equal(isStateUnknown, Read(CacheEntryFormat.Write(entry))!.IsStateUnknown);
    }

    [Fact]
    public void Times_are_written_in_UTC()
    {
        var entry = Entries.Final(Entries.Noon.ToOffset(TimeSpan.FromHours(2)));

        var read = Read(CacheEntryFormat.Write(entry))!;

        Assert.Equal(Entries.Noon, read.StoredAt);
        Assert.Equal(TimeSpan.Zero, read.StoredAt.Offset);
    }

    [Fact]
    public void An_entry_of_another_key_is_rejected() =>
        Assert.Null(CacheEntryFormat.Read(GenerationId.Parse("g2", null), CacheEntryFormat.Write(Entry([1]))));

    [Fact]
    public void The_longest_id_is_read_back()
    {
        var longest = new string('x', GenerationId.MaxLength);

        Assert.NotNull(CacheEntryFormat.Read(GenerationId.Parse(longest, null), CacheEntryFormat.Write(Entries.Any(EntryKind.Final, longest, [1], []))));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(255, false)]
    public void An_entry_of_an_unknown_kind_is_rejected(byte kind, bool isKnown) => Assert.Equal(isKnown, Read(Altered(bytes => bytes[Kind] = kind)) is not null);

    [Theory]
    [InlineData(0, "ssbbb")]
    [InlineData(2, "bbb")]
    [InlineData(5, "")]
    [InlineData(6, null)]
    [InlineData(int.MaxValue, null)]
    [InlineData(-1, null)]
    [InlineData(int.MinValue, null)]
    public void An_entry_with_a_metadata_length_that_exceeds_its_bytes_is_rejected(int metadataLength, string? body) =>
        Assert.Equal(body, Read(Altered(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(MetadataLength), metadataLength))).Text());

    [Fact]
    public void An_entry_that_ends_within_its_key_is_rejected() => Assert.Null(Read(Altered(_ => { }, length: KeyOffset + 1)));

    [Fact]
    public void An_entry_that_ends_with_its_key_has_an_empty_body()
    {
        var bytes = Altered(bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(MetadataLength), 0), length: KeyOffset + 2);

        Assert.Empty(Read(bytes)!.Body);
    }

    [Fact]
    public void Bytes_too_short_for_an_entry_are_rejected_even_with_a_correct_checksum()
    {
        for (var length = 8; length < KeyOffset; length++)
        {
            Assert.Null(Read(Altered(_ => { }, length)));
        }
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void A_time_out_of_range_is_clamped(long ticks)
    {
        var read = Read(Altered(bytes =>
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(StoredAt), ticks);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(FreshUntil), ticks);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(RequestedAt), ticks);
        }))!;

        Assert.Equal(ticks < 0 ? DateTimeOffset.MinValue : DateTimeOffset.MaxValue, read.StoredAt);
        Assert.Equal(read.StoredAt, read.FreshUntil);
    }

    [Fact]
    public void Every_changed_byte_and_every_truncation_is_rejected() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 10_000], Gen.Int[1, 255]).Sample(
            (body, position, change) =>
            {
                var bytes = CacheEntryFormat.Write(Entry(body));
                var changed = (byte[])bytes.Clone();
                changed[position % bytes.Length] ^= (byte)change;
                Assert.Null(Read(changed));
                Assert.Null(CacheEntryFormat.Read(Entries.Key, bytes.AsSpan(0, position % bytes.Length)));
            },
            iter: PropertyCases.Of(10_000));

    [Fact]
    public void Random_bytes_are_rejected() =>
        Gen.Byte.Array[0, 300].Sample(bytes => Assert.Null(Read(bytes)), iter: PropertyCases.Of(10_000));

    private static CacheEntry Entry(byte[] body) => Entries.Any(EntryKind.Final, Entries.Key.Value, body, []);

    private static CacheEntry? Read(byte[] bytes) => CacheEntryFormat.Read(Entries.Key, bytes);

    /// <summary>The bytes of an entry with the metadata "ss" and the body "bbb", after a change, cut to a length, with a correct checksum.</summary>
    private static byte[] Altered(Action<byte[]> change, int? length = null)
    {
        var bytes = CacheEntryFormat.Write(Entries.Any(EntryKind.Final, Entries.Key.Value, "bbb"u8.ToArray(), "ss"u8.ToArray()));
        change(bytes);
        bytes = bytes[..(length ?? bytes.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, XxHash3.HashToUInt64(bytes.AsSpan(8)));
        return bytes;
    }

    private static byte[] Bytes(int length) => [.. Enumerable.Range(0, length).Select(index => (byte)index)];
}
