using LumaGateway.Caching;
using LumaGateway.Redis;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>The effects of entries in Redis that no replica wrote, with and without a signing key. Redis is a fake. Needs nothing.</summary>
public sealed class ForgedEntryTests : IAsyncDisposable
{
    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private readonly List<CacheUnderTest> _replicas = [];

    public ForgedEntryTests() => _redis = new FakeRedis(_clock);

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas)
        {
            await replica.DisposeAsync();
        }
    }

    [Fact]
    public async Task Without_a_signing_key_a_forged_entry_is_fresh_for_the_longest_freshness_only()
    {
        var forged = Entries.Final(_clock.Now, "forged", freshFor: TimeSpan.FromDays(3650));
        await WriteAsync(await StartAsync(), Entries.Final(_clock.Now, freshFor: TimeSpan.FromDays(30), staleFor: TimeSpan.FromDays(30)));
        _redis.Overwrite(":final", CacheEntryFormat.Write(forged));
        var replica = await StartAsync();
        Assert.Equal("forged", (await replica.ReadAsync()).Entry.Text());

        _clock.Advance(CacheUnderTest.Limits.Final);

        replica.Origin.Returns(Entries.Final(_clock.Now, "genuine"));
        Assert.Equal("genuine", (await replica.ReadAsync()).Entry.Text());
    }

    [Theory]
    [InlineData("")]
    [InlineData(Signers.Key)]
    public async Task An_entry_stored_in_the_far_future_is_a_miss_and_is_counted_and_overwritten(string keys)
    {
        var replica = await StartAsync(keys);
        await WriteAsync(replica, Entries.Final(_clock.Now));
        var name = Assert.Single(_redis.Keys, key => key.EndsWith(":final", StringComparison.Ordinal));
        var forged = Entries.Final(_clock.Now + CacheUnderTest.Limits.Final + TimeSpan.FromSeconds(1), "forged");
        _redis.Overwrite(":final", Signers.Of(keys).Sign(SignedKind.Entry, name, CacheEntryFormat.Write(forged)));

        await AssertMissAsync(keys);
    }

    [Theory]
    [InlineData("not signed")]
    [InlineData("signed with another key")]
    [InlineData("signed under another subject's name")]
    [InlineData("signed as an interim entry")]
    [InlineData("changed by a bit")]
    public async Task With_a_signing_key_an_entry_that_does_not_verify_is_a_miss_and_is_counted_and_overwritten(string how)
    {
        await WriteAsync(await StartAsync(Signers.Key), Entries.Final(_clock.Now));
        var name = Assert.Single(_redis.Keys, key => key.EndsWith(":final", StringComparison.Ordinal));
        var forged = CacheEntryFormat.Write(Entries.Final(_clock.Now, "forged"));
        byte[] Sign(string key, string under) => Signers.Of(key).Sign(SignedKind.Entry, under, forged);
        var changed = Sign(Signers.Key, name);
        changed[^1] ^= 1;
        _redis.Overwrite(":final", how switch
        {
            "not signed" => forged,
            "signed with another key" => Sign(Signers.NewKey, name),
            "signed under another subject's name" => Sign(Signers.Key, name.Replace("{g1}", "{g2}", StringComparison.Ordinal)),
            "signed as an interim entry" => Sign(Signers.Key, name.Replace(":final", ":interim", StringComparison.Ordinal)),
            _ => changed,
        });

        await AssertMissAsync(Signers.Key);
    }

    [Theory]
    [InlineData("")]
    [InlineData(Signers.Key)]
    public async Task An_interim_entry_under_the_name_of_the_final_one_is_rejected(string keys)
    {
        await WriteAsync(await StartAsync(keys), Entries.Final(_clock.Now));
        var name = Assert.Single(_redis.Keys, key => key.EndsWith(":final", StringComparison.Ordinal));
        _redis.Overwrite(":final", Signers.Of(keys).Sign(SignedKind.Entry, name, CacheEntryFormat.Write(Entries.Interim(_clock.Now))));

        await AssertMissAsync(keys);
    }

    [Theory]
    [InlineData("", Signers.Key, false)]
    [InlineData(Signers.Key, "", false)]
    [InlineData(Signers.Key, Signers.NewKey, false)]
    [InlineData(Signers.Key, Signers.Key, true)]
    [InlineData(Signers.Key, $"{Signers.NewKey},{Signers.Key}", true)]
    [InlineData($"{Signers.NewKey},{Signers.Key}", Signers.NewKey, true)]
    [InlineData($"{Signers.NewKey},{Signers.Key}", Signers.Key, false)]
    public async Task A_replica_finds_an_entry_only_if_it_has_the_key_that_signed_it(string writer, string reader, bool isFound)
    {
        await WriteAsync(await StartAsync(writer), Entries.Final(_clock.Now));

        var view = await (await StartAsync(reader)).Redis.ReadAsync(Entries.Key).WithTimeout();

        Assert.Equal(isFound ? "final" : null, view.Final.Text());
    }

    /// <summary>A replica with these keys fetches from the origin and writes an entry that another replica finds.</summary>
    private async Task AssertMissAsync(string keys)
    {
        var (replica, third) = (await StartAsync(keys), await StartAsync(keys));
        using var corrupt = replica.Collect<long>("corrupt");
        replica.Origin.Returns(Entries.Final(_clock.Now, "genuine"));

        Assert.Equal("genuine", (await replica.ReadAsync()).Entry.Text());

        Assert.NotEmpty(corrupt.GetMeasurementSnapshot());
        Assert.Equal("genuine", (await third.ReadAsync()).Entry.Text());
    }

    private static async Task WriteAsync(CacheUnderTest replica, CacheEntry entry) =>
        Assert.Equal(WriteResult.Stored, await replica.Redis.WriteAsync(entry, null).WithTimeout());

    private async Task<CacheUnderTest> StartAsync(string keys = "")
    {
        var replica = await CacheUnderTest.StartAsync(_clock, _redis, ("Cache:SigningKey", keys));
        _replicas.Add(replica);
        return replica;
    }
}
