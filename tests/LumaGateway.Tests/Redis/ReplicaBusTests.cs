using LumaGateway.Contracts;
using LumaGateway.Tests.Caching;

namespace LumaGateway.Tests.Redis;

/// <summary>The Redis server to which replicas publish. Redis is a fake. Needs nothing.</summary>
public sealed class ReplicaBusTests
{
    [Fact]
    public async Task Messages_arrive_from_a_replica_whose_subscription_moved_to_a_Redis_replica()
    {
        var clock = new WaitingClock();
        var redis = new FakeRedis(clock);
        await using var first = await CacheUnderTest.StartAsync(clock, redis);
        await using var second = await CacheUnderTest.StartAsync(clock, redis);
        var purges = second.Cache.Purges;
        redis.IsSubscribedToReplica = true;

        await first.Cache.PurgeAsync(GenerationId.Parse("g1", null)).WithTimeout();

        Assert.Equal(purges + 1, second.Cache.Purges);
    }

    [Fact]
    public async Task A_message_after_the_end_of_the_connection_throws_nothing()
    {
        var clock = new WaitingClock();
        var redis = new FakeRedis(clock);
        await using var replica = await CacheUnderTest.StartAsync(clock, redis);
        using var ended = redis.Fail("publish", exception: new ObjectDisposedException("connection"));

        Assert.True(await replica.Cache.PurgeAsync(GenerationId.Parse("g1", null)).WithTimeout());
    }
}
