using System.Net;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Requests that a replica refuses without Redis. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class UnavailableRedisTests(SharedSystem shared)
{
    [Fact]
    public async Task Without_Redis_a_purge_is_not_confirmed_and_a_create_with_a_key_is_not_sent()
    {
        const string Purged = "done-unpurged";
        const string Created = "done-uncreated";
        await using var redis = await RedisServer.StartAsync();
        await using var group = await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(shared.Sandbox, 1, redis.Endpoint));
        var replica = group.Replicas[0];
        await replica.ReadAsync(Purged);
        using var before = await Creates.SendAsync(replica, Created, "before");
        redis.Kill();

        using var purge = await replica.PurgeAsync(Purged);
        using var create = await Creates.SendAsync(replica, Created, "after");

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "cache_unavailable"), (purge.StatusCode, await Creates.CodeAsync(purge)));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "idempotency_unavailable"), (create.StatusCode, await Creates.CodeAsync(create)));
        Assert.NotNull(create.Headers.RetryAfter);
        Assert.Equal(1, await shared.Sandbox.CountAsync(Created));
    }
}
