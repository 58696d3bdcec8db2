using System.Net;
using StackExchange.Redis;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Entries that replicas share through Redis.</summary>
[Collection(typeof(SharedSystem))]
public sealed class SharingTests(SharedSystem shared)
{
    private readonly ReplicaGroup _group = shared.Group;
    private readonly RedisServer _redis = shared.Redis;

    [Fact]
    public async Task All_replicas_serve_an_entry_with_the_same_ETag()
    {
        const string Id = "done-shared";

        var responses = new List<(string? Tag, string CacheStatus)>();
        foreach (var replica in _group.Replicas)
        {
            using var response = await replica.GetAsync(Id);
            responses.Add((response.Headers.ETag?.Tag, response.Headers.GetValues("Cache-Status").Single()));
        }

        Assert.Equal(1, await _group.Sandbox.CountAsync(Id));
        Assert.NotNull(responses[0].Tag);
        Assert.Single(responses.Select(response => response.Tag).Distinct());
        Assert.Equal("LumaGateway; fwd=miss; stored", responses[0].CacheStatus);
        Assert.All(responses.Skip(1), response => Assert.StartsWith("LumaGateway; hit; ttl=", response.CacheStatus, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_final_entry_survives_the_restart_of_its_replica()
    {
        const string Id = "done-restarted";
        await using var replicas = await shared.StartBesideAsync();
        var before = await replicas.Replicas[0].ReadAsync(Id);

        await replicas.RestartAsync();

        Assert.Equal(before, await replicas.Replicas[0].ReadAsync(Id));
        Assert.Equal(1, await _group.Sandbox.CountAsync(Id));
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("garbage")]
    [InlineData("other id")]
    [InlineData("other type")]
    public async Task A_damaged_entry_is_a_miss_and_is_overwritten(string how)
    {
        var id = $"done-damaged-{how.Length}";
        await _group.Replicas[0].ReadAsync(id);
        await DamageAsync(id, how);

        await _group.Replicas[1].ReadAsync(id);
        await _group.Replicas[2].ReadAsync(id);

        Assert.Equal(2, await _group.Sandbox.CountAsync(id)); // the second replica fetched it again, and the third read it
    }

    [Fact]
    public async Task Gateways_of_different_accounts_do_not_share_entries()
    {
        const string Id = "done-two-accounts";

        await _group.Replicas[0].ReadAsync(Id);
        await shared.Other.Replicas[0].ReadAsync(Id);

        Assert.Equal(2, await _group.Sandbox.CountAsync(Id));
    }

    [Fact]
    public async Task A_purge_whose_message_was_lost_takes_effect_after_the_memory_lifetime()
    {
        const string Id = "done-purge-without-message";
        var replica = shared.Other.Replicas[0];
        await replica.ReadAsync(Id);
        var data = await _redis.DataAsync();
        await data.HashSetAsync(await KeyAsync(Id, "final", "token"), [new("data", "a token"), new("absexp", -1), new("sldexp", -1)]);
        await data.KeyDeleteAsync(await KeyAsync(Id, "final", "final"));

        await Wait.UntilAsync(
            async () =>
            {
                await replica.ReadAsync(Id);
                return await _group.Sandbox.CountAsync(Id) == 2;
            },
            () => "The replica still serves the purged entry.");
    }

    [Fact]
    public async Task A_purge_reaches_every_replica()
    {
        const string Id = "done-purged";
        foreach (var replica in _group.Replicas)
        {
            await replica.ReadAsync(Id);
        }

        await _group.Sandbox.SetStateAsync(Id, "failed");
        using var purged = await _group.Replicas[0].PurgeAsync(Id);

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        foreach (var replica in _group.Replicas)
        {
            await Wait.UntilAsync(
                async () => (await replica.ReadAsync(Id)).Contains("\"state\":\"failed\"", StringComparison.Ordinal),
                () => "A replica still serves the purged entry.");
        }

        AssertFetchedAgain(await _group.Sandbox.CountAsync(Id));
    }

    [Fact]
    public async Task A_fetch_started_before_a_purge_is_not_stored()
    {
        const string Id = "fault-latency-1000-purged-meanwhile";
        var slow = _group.Replicas[1].ReadAsync(Id);
        await Wait.UntilAsync(async () => await _group.Sandbox.CountAsync(Id) == 1, () => "The fetch did not start.");

        using var purged = await _group.Replicas[0].PurgeAsync(Id);
        await slow;

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        await _group.Replicas[1].ReadAsync(Id);
        await _group.Replicas[2].ReadAsync(Id);
        AssertFetchedAgain(await _group.Sandbox.CountAsync(Id));
    }

    /// <summary>One fetch, and one more for each replica that received the purge during its fetch, because that result is not stored.</summary>
    private static void AssertFetchedAgain(long count) => Assert.InRange(count, 2, 4);

    private async Task DamageAsync(string id, string how)
    {
        var data = await _redis.DataAsync();
        var key = await KeyAsync(id, "final", "final");
        byte[] whole = (await data.HashGetAsync(key, "data"))!;
        if (how is "other type")
        {
            await data.KeyDeleteAsync(key);
            await data.StringSetAsync(key, "not a hash");
            return;
        }

        await data.HashSetAsync(key, "data", how switch
        {
            "truncated" => whole[..^7],
            "garbage" => "not an entry, but as long as one",
            _ => await OtherEntryAsync(data),
        });
    }

    private async Task<RedisValue> OtherEntryAsync(IDatabase data)
    {
        const string Other = "done-other";
        await _group.Replicas[0].ReadAsync(Other);
        return await data.HashGetAsync(await KeyAsync(Other, "final", "final"), "data");
    }

    /// <summary>Returns the Redis key of a part of an entry, derived from an existing key, so that the test does not depend on the format.</summary>
    private async Task<RedisKey> KeyAsync(string id, string existing, string part)
    {
        var key = Assert.Single(await _redis.KeysAsync($"*{id}*:{existing}")).ToString();
        return key[..^existing.Length] + part;
    }
}
