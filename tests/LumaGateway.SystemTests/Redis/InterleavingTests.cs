namespace LumaGateway.SystemTests.Redis;

/// <summary>The short version of the endurance suite's test of the same name.</summary>
public sealed class InterleavingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_read_returns_a_version_older_than_a_confirmed_purge(bool isGarnet)
    {
        await using var redis = isGarnet ? await RedisServer.StartGarnetAsync() : await RedisServer.StartAsync();
        await using var all = await Interleavings.StartAsync(redis, seed: 11);

        await all.RunAsync(rounds: 40);

        Assert.True(all is { Reads: > 80, Purges: > 40 }, $"Only {all.Reads} reads and {all.Purges} purges.");
        Assert.Empty(all.StaleReads);
    }
}
