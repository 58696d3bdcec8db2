using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.SystemTests.Redis;

/// <summary>The guarantees of the cache for its entries. Each test uses its own account.</summary>
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
        await using var fast = await StartAsync();
        await using var third = await StartAsync();
        var started = new TaskCompletionSource();
        var released = new TaskCompletionSource<CacheEntry>();
        var reading = late.ReadAsync(Key, () =>
        {
            started.SetResult();
            return released.Task;
        });
        await started.Task;
        await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync($"*{_account}*:lock")).Single()); // as if the lock had expired

        await fast.ReadAsync(Key, EntryKind.Final, "final");
        released.SetResult(CacheReplica.Entry(Key, EntryKind.Interim, "interim"));
        await reading;

        Assert.Equal("final", await third.ReadAsync(Key, EntryKind.Interim, "fetched again"));
        await Wait.UntilAsync(
            async () => await late.ReadAsync(Key, EntryKind.Interim, "fetched again") is "final", () => "The late replica still serves its own entry.");
    }

    [Fact]
    public async Task A_final_entry_stays_if_the_origin_returns_an_interim_state_later()
    {
        await using var replica = await StartAsync();
        var now = TimeProvider.System.GetUtcNow();
        await replica.ReadAsync(Key, () => Task.FromResult(new CacheEntry(Key, EntryKind.Final, "final"u8.ToArray(), now, now, now.AddHours(1))));
        var fetches = 0;

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal("final", await replica.ReadAsync(Key, () =>
            {
                fetches++;
                return Task.FromResult(CacheReplica.Entry(Key, EntryKind.Interim, "interim"));
            }));
        }

        Assert.Equal(1, fetches);
    }

    [Fact]
    public async Task Replicas_with_different_schemas_do_not_share_entries()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync(schema: "2");

        Assert.Equal("written by one", await one.ReadAsync(Key, EntryKind.Final, "written by one"));
        Assert.Equal("written by two", await two.ReadAsync(Key, EntryKind.Final, "written by two"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_entry_is_counted_and_overwritten(bool isOfAnotherType)
    {
        await using var writer = await StartAsync();
        await using var reader = await StartAsync();
        await using var third = await StartAsync();
        await writer.ReadAsync(Key, EntryKind.Final, "original");
        var data = await _redis.DataAsync();
        var name = (await _redis.KeysAsync($"*{_account}*:final")).Single();
        if (isOfAnotherType)
        {
            await data.KeyDeleteAsync(name);
            await data.StringSetAsync(name, "damaged");
        }
        else
        {
            await data.HashSetAsync(name, "data", "damaged");
        }

        Assert.Equal("fetched again", await reader.ReadAsync(Key, EntryKind.Final, "fetched again"));
        Assert.Equal("fetched again", await third.ReadAsync(Key, EntryKind.Final, "not fetched"));

        Assert.NotEqual(0, reader.Corrupt); // counted at every read: before and after the lock, and again if Redis is slow
        Assert.Equal(0, third.Corrupt);
    }

    private Task<CacheReplica> StartAsync(string schema = "1") => CacheReplica.StartAsync(_redis.Endpoint, _account, schema);
}
