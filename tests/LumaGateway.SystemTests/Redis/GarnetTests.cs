using System.Net;
using StackExchange.Redis;

namespace LumaGateway.SystemTests.Redis;

/// <summary>The gateway with Garnet, which needs only the .NET SDK.</summary>
[Collection(typeof(SharedSystem))]
public sealed class GarnetTests(SharedSystem shared)
{
    [Fact]
    public async Task Replicas_share_entries_locks_and_purges_through_Garnet()
    {
        const string Id = "fault-latency-500-garnet";
        await using var redis = await RedisServer.StartGarnetAsync();
        await using var group = await ReplicaGroup.StartAsync(shared.Sandbox, 2, redis.Endpoint);

        await Task.WhenAll(group.Replicas.Select(replica => replica.ReadAsync(Id)));
        Assert.Equal(1, await shared.Sandbox.CountAsync(Id));

        using var purged = await group.Replicas[0].PurgeAsync(Id);
        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        await Wait.UntilAsync(
            async () =>
            {
                await group.Replicas[1].ReadAsync(Id);
                return await shared.Sandbox.CountAsync(Id) >= 2; // a late message of the purge invalidates the fetch, and causes one more
            },
            () => "The purge did not reach the other replica.");
    }

    /// <summary>The gateway's scripts rely on it. Without <c>--lua-transaction-mode true</c>, some hundred keys have two winners.</summary>
    [Fact]
    public async Task Scripts_are_atomic()
    {
        const int Keys = 20_000;
        const string SetOnce = "if not redis.call('GET', KEYS[1]) then redis.call('SET', KEYS[1], ARGV[1]) return 1 end return 0";
        await using var redis = await RedisServer.StartGarnetAsync();
        var connections = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ConnectionMultiplexer.ConnectAsync(redis.Endpoint)));

        var databases = connections.Select(connection => connection.GetDatabase()).ToList();

        var wins = 0;
        foreach (var keys in Enumerable.Range(0, Keys).Select(number => new RedisKey[] { $"key-{number}" }).Chunk(100))
        {
            var results = await Task.WhenAll(keys.SelectMany(key => databases.Select(database => database.ScriptEvaluateAsync(SetOnce, key, ["winner"]))));
            wins += results.Sum(result => (int)result);
        }

        Assert.Equal(Keys, wins);
        await Task.WhenAll(connections.Select(connection => connection.DisposeAsync().AsTask()));
    }
}
