using CsCheck;
using LumaGateway.Caching;
using LumaGateway.Tests.Hosting;

namespace LumaGateway.Tests.Caching;

public sealed class CacheEntryFormatTests
{
    private static readonly DateTimeOffset Now = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_entry_reads_back_as_it_was()
    {
        var entry = Entry("g1", [1, 2, 3]);

        var read = CacheEntryFormat.Read(new CacheKey("g1"), CacheEntryFormat.Write(entry))!;

        Assert.Equal(entry.Body, read.Body);
        Assert.Equal(entry.ETag, read.ETag);
        Assert.Equal((entry.Kind, entry.StoredAt, entry.FreshUntil, entry.CoverUntil), (read.Kind, read.StoredAt, read.FreshUntil, read.CoverUntil));
    }

    [Fact]
    public void An_entry_of_another_subject_is_none() =>
        Assert.Null(CacheEntryFormat.Read(new CacheKey("g2"), CacheEntryFormat.Write(Entry("g1", [1]))));

    [Fact]
    public void No_damage_goes_unseen() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Int[0, 10_000], Gen.Int[1, 255]).Sample(
            (body, position, change) =>
            {
                var bytes = CacheEntryFormat.Write(Entry("g1", body));
                var changed = (byte[])bytes.Clone();
                changed[position % bytes.Length] ^= (byte)change;
                Assert.Null(CacheEntryFormat.Read(new CacheKey("g1"), changed));
                Assert.Null(CacheEntryFormat.Read(new CacheKey("g1"), bytes.AsSpan(0, position % bytes.Length)));
            },
            iter: PropertyCases.Of(10_000));

    [Fact]
    public void No_garbage_is_taken_for_an_entry() =>
        Gen.Byte.Array[0, 300].Sample(bytes => Assert.Null(CacheEntryFormat.Read(new CacheKey("g1"), bytes)), iter: PropertyCases.Of(10_000));

    private static CacheEntry Entry(string id, byte[] body) =>
        new(new CacheKey(id), EntryKind.Final, body, Now, Now.AddHours(1), Now.AddDays(7));
}
