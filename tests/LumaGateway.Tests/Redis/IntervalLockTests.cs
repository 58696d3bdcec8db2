using LumaGateway.Tests.Caching;

namespace LumaGateway.Tests.Redis;

/// <summary>The lock that lets one of several replicas run a task in each interval. Redis is a fake. Needs nothing.</summary>
public sealed class IntervalLockTests
{
    private const string Name = "task";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly WaitingClock _clock = new();

    [Fact]
    public async Task One_replica_starts_the_task_in_each_interval()
    {
        var redis = new FakeRedis(_clock);
        await using var first = await CacheUnderTest.StartAsync(_clock, redis);
        await using var second = await CacheUnderTest.StartAsync(_clock, redis);

        Assert.True(await StartAsync(first));
        Assert.False(await StartAsync(second));
        _clock.Advance(Interval - TimeSpan.FromMilliseconds(1));
        Assert.False(await StartAsync(second));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await StartAsync(second));
        Assert.False(await StartAsync(first));
    }

    [Fact]
    public async Task Without_a_usable_Redis_every_replica_starts_the_task()
    {
        var redis = new FakeRedis(_clock);
        await using var first = await CacheUnderTest.StartAsync(_clock, redis);
        await using var second = await CacheUnderTest.StartAsync(_clock, redis);
        await using var withoutRedis = await CacheUnderTest.StartAsync(_clock);
        Assert.True(await StartAsync(first));

        using (redis.Fail())
        {
            Assert.True(await StartAsync(second));
        }

        Assert.True(await StartAsync(withoutRedis));
        Assert.True(await StartAsync(withoutRedis));
    }

    private static Task<bool> StartAsync(CacheUnderTest replica) => replica.Interval.TryStartAsync(Name, Interval).WithTimeout();
}
