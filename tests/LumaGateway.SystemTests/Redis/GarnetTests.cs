using System.Net;

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
}
