using LumaGateway.Contracts;
using LumaGateway.Tests.Caching;
using StackExchange.Redis;

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

    /// <summary>The connection ends before the last message of a process that stops. The role of a server can change between the choice of the server and the command.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_that_cannot_be_sent_throws_nothing(bool isEnded)
    {
        var clock = new WaitingClock();
        var redis = new FakeRedis(clock);
        await using var replica = await CacheUnderTest.StartAsync(clock, redis);
        using var ended = redis.Fail("publish", exception: isEnded ? new ObjectDisposedException("connection") : new RedisCommandException("Command cannot be issued to a replica: PUBLISH"));

        Assert.True(await replica.Cache.PurgeAsync(GenerationId.Parse("g1", null)).WithTimeout());
    }

    [Fact]
    public async Task A_message_is_handled_once_after_attempts_to_subscribe_that_failed()
    {
        var clock = new WaitingClock();
        var redis = new FakeRedis(clock);
        await using var replica = CacheUnderTest.Create(clock, redis);
        var second = TimeSpan.FromSeconds(1);
        Task starting;
        using (redis.Fail("subscribe"))
        {
            starting = replica.StartAsync();
            await clock.PassAsync(second);
            await clock.WaitedForAsync(second); // the second attempt has failed too
        }

        await clock.PassUntilAsync(starting, second);
        var purges = replica.Cache.Purges;

        await replica.Bus.PublishAsync("purge", "g1");

        Assert.Equal(purges + 1, replica.Cache.Purges);
    }
}
