using System.Globalization;
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

    [Fact]
    public async Task A_replica_that_started_without_Redis_handles_each_message_once()
    {
        const string Account = "started-without";
        var management = FreePort.Reserve();
        await using var redis = await RedisServer.StartAsync();
        redis.Kill();
        await using var group = await ReplicaGroup.StartAsync(shared.Sandbox, 1, redis.Endpoint, ("Luma:Name", Account), ("Management:Port", $"{management}"));
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, TestContext.Current.CancellationToken); // time for some attempts to subscribe
        await redis.RestartAsync();
        var channel = string.Empty;
        await Wait.UntilAsync(
            async () => (channel = ((string[])(await redis.ExecuteAsync("PUBSUB", "CHANNELS", $"*:{Account}:*:replicas"))!).SingleOrDefault()) is not null,
            () => $"The replica did not subscribe.\n{group.Replicas[0].Log}");

        await redis.ExecuteAsync("PUBLISH", channel!, "malformed");
        await redis.ExecuteAsync("PUBLISH", channel!, "purge too many words");

        await Wait.UntilAsync(async () => await RejectedAsync("oversized") > 0, () => "The second message did not arrive.");
        Assert.Equal((1, 1), (await RejectedAsync("malformed"), await RejectedAsync("oversized")));

        async Task<int> RejectedAsync(string reason)
        {
            using var client = new HttpClient();
            var metrics = await client.GetStringAsync(new Uri($"http://127.0.0.1:{management}/metrics"), TestContext.Current.CancellationToken);
            var line = metrics.Split('\n').SingleOrDefault(line => line.StartsWith("luma_gateway_redis_rejected", StringComparison.Ordinal) && line.Contains(reason, StringComparison.Ordinal));
            return line is null ? 0 : int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
        }
    }
}
