namespace LumaGateway.EnduranceTests.Load;

/// <summary>The invalidation protocol under random orders of events from a seed.</summary>
[TestClass(DisableParallelization = true)]
public sealed class InterleavingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task No_read_returns_a_response_older_than_a_confirmed_purge(int seed)
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var interleavings = await Interleavings.StartAsync(redis, seed);

        await interleavings.RunAsync(rounds: 500);

        output.WriteLine($"seed {seed}: 500 interleavings, {interleavings.Reads} reads, {interleavings.Purges} purges, {interleavings.StaleReads.Count} stale");
        Assert.Empty(interleavings.StaleReads);
    }
}
