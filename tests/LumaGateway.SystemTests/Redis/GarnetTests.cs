using System.Net;

namespace LumaGateway.SystemTests.Redis;

/// <summary>The gateway on Garnet, which a machine with nothing but the SDK can have.</summary>
public sealed class GarnetTests
{
    [Fact]
    public async Task Replicas_share_answers_locks_and_purges_through_Garnet_too()
    {
        const string Id = "fault-latency-500-garnet";
        await using var redis = await RedisServer.StartGarnetAsync();
        await using var fleet = await Fleet.StartAsync(2, redis.Endpoint);

        await Task.WhenAll(fleet.Replicas.Select(replica => replica.ReadAsync(Id)));
        Assert.Equal(1, await fleet.Sandbox.CountAsync(Id));

        using var purged = await fleet.Replicas[0].PurgeAsync(Id);
        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        await Wait.UntilAsync(
            async () =>
            {
                await fleet.Replicas[1].ReadAsync(Id);
                return await fleet.Sandbox.CountAsync(Id) == 2;
            },
            TimeSpan.FromSeconds(1),
            () => "The purge did not reach the other replica.");
    }
}
