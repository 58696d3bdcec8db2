using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.SystemTests.Redis;

/// <summary>What the cache promises of its entries, whoever's they are. Each test takes an account of its own.</summary>
[Collection(typeof(SharedSystem))]
public sealed class CacheTests(SharedSystem shared)
{
    private static readonly GenerationId Key = GenerationId.Parse("subject", null);

    private readonly RedisServer _redis = shared.Redis;
    private readonly string _account = $"cache-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_late_interim_entry_never_replaces_a_final_one()
    {
        await using var late = await StartAsync();
        await using var quick = await StartAsync();
        await using var third = await StartAsync();
        var asked = new TaskCompletionSource();
        var held = new TaskCompletionSource<CacheEntry>();
        var reading = late.ReadAsync(Key, () =>
        {
            asked.SetResult();
            return held.Task;
        });
        await asked.Task;
        await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync($"*{_account}*:lock")).Single()); // as if its replica had been thought dead

        await quick.ReadAsync(Key, EntryKind.Final, "final");
        held.SetResult(CacheReplica.Entry(Key, EntryKind.Interim, "interim"));
        await reading;

        Assert.Equal("final", await third.ReadAsync(Key, EntryKind.Interim, "asked again"));
        await Wait.UntilAsync(
            async () => await late.ReadAsync(Key, EntryKind.Interim, "asked again") is "final", () => "The late one keeps to its own.");
    }

    [Fact]
    public async Task A_final_entry_stays_if_the_origin_returns_an_interim_state_later()
    {
        await using var replica = await StartAsync();
        var now = TimeProvider.System.GetUtcNow();
        await replica.ReadAsync(Key, () => Task.FromResult(new CacheEntry(Key, EntryKind.Final, "final"u8.ToArray(), now, now, now.AddHours(1))));
        var asked = 0;

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("final", await replica.ReadAsync(Key, () =>
            {
                asked++;
                return Task.FromResult(CacheReplica.Entry(Key, EntryKind.Interim, "interim"));
            }));
        }

        Assert.Equal(1, asked); // and not for each caller
    }

    [Fact]
    public async Task Replicas_with_different_schemas_do_not_share_entries()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync(schema: "2");

        Assert.Equal("as one writes it", await one.ReadAsync(Key, EntryKind.Final, "as one writes it"));
        Assert.Equal("as two writes it", await two.ReadAsync(Key, EntryKind.Final, "as two writes it"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_entry_is_counted_and_overwritten(bool isOfAnotherType)
    {
        await using var writer = await StartAsync();
        await using var reader = await StartAsync();
        await using var third = await StartAsync();
        await writer.ReadAsync(Key, EntryKind.Final, "right");
        var data = await _redis.DataAsync();
        var name = (await _redis.KeysAsync($"*{_account}*:final")).Single();
        if (isOfAnotherType)
        {
            await data.KeyDeleteAsync(name);
            await data.StringSetAsync(name, "spoilt");
        }
        else
        {
            await data.HashSetAsync(name, "data", "spoilt");
        }

        Assert.Equal("right again", await reader.ReadAsync(Key, EntryKind.Final, "right again"));
        Assert.Equal("right again", await third.ReadAsync(Key, EntryKind.Final, "not asked for"));

        Assert.NotEqual(0, reader.Corrupt); // once for each look at it: before the lock is asked for and after, and again while another step of Redis is slow
        Assert.Equal(0, third.Corrupt);
    }

    private Task<CacheReplica> StartAsync(string schema = "1") => CacheReplica.StartAsync(_redis.Endpoint, _account, schema);
}
