using System.Net;
using StackExchange.Redis;

namespace LumaGateway.SystemTests.Redis;

/// <summary>What replicas have in common through Redis.</summary>
[Collection(typeof(SharedSystem))]
public sealed class SharingTests(SharedSystem shared)
{
    private readonly Fleet _fleet = shared.Fleet;
    private readonly RedisServer _redis = shared.Redis;

    [Fact]
    public async Task All_replicas_serve_an_entry_with_the_same_ETag()
    {
        const string Id = "done-shared";

        var answers = new List<(string? Tag, string CacheStatus)>();
        foreach (var replica in _fleet.Replicas)
        {
            using var answer = await replica.GetAsync(Id);
            answers.Add((answer.Headers.ETag?.Tag, answer.Headers.GetValues("Cache-Status").Single()));
        }

        Assert.Equal(1, await _fleet.Sandbox.CountAsync(Id));
        Assert.NotNull(answers[0].Tag);
        Assert.Single(answers.Select(answer => answer.Tag).Distinct());
        Assert.Equal("LumaGateway; fwd=miss; stored", answers[0].CacheStatus);
        Assert.All(answers.Skip(1), answer => Assert.StartsWith("LumaGateway; hit; ttl=", answer.CacheStatus, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_final_entry_survives_the_restart_of_its_replica()
    {
        const string Id = "done-survivor";
        await using var replicas = await shared.StartBesideAsync();
        var before = await replicas.Replicas[0].ReadAsync(Id);

        await replicas.RestartAsync();

        Assert.Equal(before, await replicas.Replicas[0].ReadAsync(Id));
        Assert.Equal(1, await _fleet.Sandbox.CountAsync(Id));
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("garbage")]
    [InlineData("another's")]
    [InlineData("of another type")]
    public async Task A_damaged_entry_is_a_miss_and_is_overwritten(string how)
    {
        var id = $"done-spoilt-{how.Length}";
        await _fleet.Replicas[0].ReadAsync(id);
        await SpoilAsync(id, how);

        await _fleet.Replicas[1].ReadAsync(id);
        await _fleet.Replicas[2].ReadAsync(id);

        Assert.Equal(2, await _fleet.Sandbox.CountAsync(id)); // the second replica asked; the third found what it wrote
    }

    [Fact]
    public async Task Gateways_of_different_accounts_do_not_share_entries()
    {
        const string Id = "done-two-accounts";

        await _fleet.Replicas[0].ReadAsync(Id);
        await shared.Other.Replicas[0].ReadAsync(Id);

        Assert.Equal(2, await _fleet.Sandbox.CountAsync(Id));
    }

    [Fact]
    public async Task A_purge_whose_message_was_lost_takes_effect_after_the_memory_lifetime()
    {
        const string Id = "done-unheard-purge";
        var replica = shared.Other.Replicas[0];
        await replica.ReadAsync(Id);
        var data = await _redis.DataAsync();
        await data.HashSetAsync(await KeyAsync(Id, "final", "epoch"), [new("data", "a mark"), new("absexp", -1), new("sldexp", -1)]);
        await data.KeyDeleteAsync(await KeyAsync(Id, "final", "final"));

        await Wait.UntilAsync(
            async () =>
            {
                await replica.ReadAsync(Id);
                return await _fleet.Sandbox.CountAsync(Id) == 2;
            },
            () => "It went on believing its memory.");
    }

    [Fact]
    public async Task A_purge_reaches_every_replica()
    {
        const string Id = "done-purged";
        foreach (var replica in _fleet.Replicas)
        {
            await replica.ReadAsync(Id);
        }

        await _fleet.Sandbox.MoveAsync(Id, "failed");
        using var purged = await _fleet.Replicas[0].PurgeAsync(Id);

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        foreach (var replica in _fleet.Replicas)
        {
            await Wait.UntilAsync(
                async () => (await replica.ReadAsync(Id)).Contains("\"state\":\"failed\"", StringComparison.Ordinal),
                () => "A replica still gives what was purged.");
        }

        AssertFetchedAgain(await _fleet.Sandbox.CountAsync(Id));
    }

    [Fact]
    public async Task A_fetch_started_before_a_purge_is_not_stored()
    {
        const string Id = "fault-latency-1000-purged-meanwhile";
        var slow = _fleet.Replicas[1].ReadAsync(Id);
        await Wait.UntilAsync(async () => await _fleet.Sandbox.CountAsync(Id) == 1, () => "The fetch did not begin.");

        using var purged = await _fleet.Replicas[0].PurgeAsync(Id);
        await slow;

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        await _fleet.Replicas[1].ReadAsync(Id);
        await _fleet.Replicas[2].ReadAsync(Id);
        AssertFetchedAgain(await _fleet.Sandbox.CountAsync(Id));
    }

    /// <summary>Once, and once more for each replica that heard of the purge only while it fetched: such a fetch is not kept.</summary>
    private static void AssertFetchedAgain(long count) => Assert.InRange(count, 2, 4);

    private async Task SpoilAsync(string id, string how)
    {
        var data = await _redis.DataAsync();
        var key = await KeyAsync(id, "final", "final");
        byte[] whole = (await data.HashGetAsync(key, "data"))!;
        if (how is "of another type")
        {
            await data.KeyDeleteAsync(key);
            await data.StringSetAsync(key, "not a hash");
            return;
        }

        await data.HashSetAsync(key, "data", how switch
        {
            "truncated" => whole[..^7],
            "garbage" => "no entry at all, but long enough to be one",
            _ => await AnothersAsync(data),
        });
    }

    private async Task<RedisValue> AnothersAsync(IDatabase data)
    {
        const string Other = "done-somebody-else";
        await _fleet.Replicas[0].ReadAsync(Other);
        return await data.HashGetAsync(await KeyAsync(Other, "final", "final"), "data");
    }

    /// <summary>The name of one part of an id's, made from that of a part which is there: how names are made is the cache's own business.</summary>
    private async Task<RedisKey> KeyAsync(string id, string existing, string part)
    {
        var key = Assert.Single(await _redis.KeysAsync($"*{id}*:{existing}")).ToString();
        return key[..^existing.Length] + part;
    }
}
