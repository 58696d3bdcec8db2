namespace LumaGateway.EnduranceTests.Load;

/// <summary>The invalidation protocol under orders of events drawn from seeds, at full length.</summary>
[TestClass(DisableParallelization = true)]
public sealed class InterleavingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task No_read_is_told_anything_older_than_a_confirmed_purge(int seed)
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var all = await Interleavings.StartAsync(redis, seed);

        await all.RunAsync(rounds: 500);

        output.WriteLine($"seed {seed}: 500 interleavings, {all.Reads} reads, {all.Purges} purges, {all.StaleReads.Count} too old");
        Assert.Empty(all.StaleReads);
    }
}
