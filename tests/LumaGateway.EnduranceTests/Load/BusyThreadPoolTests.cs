using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>
/// Replicas without CPU time share a fetch, because a late soft timeout of Redis is ignored. The delay depends on the machine, so the count is reported.
/// The fast suite tests the rule with its own clock. Needs redis-server or Garnet.
/// </summary>
public sealed class BusyThreadPoolTests(ITestOutputHelper output)
{
    private const int Rounds = 10;

    [Fact]
    public async Task Two_replicas_without_CPU_time_share_a_fetch()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await CacheReplica.StartAsync(redis.Endpoint);
        await using var two = await CacheReplica.StartAsync(redis.Endpoint);
        var fetches = 0;

        using (new BusyThreadPool())
        {
            for (var round = 0; round < Rounds; round++)
            {
                var key = GenerationId.Parse($"key-{round}", null);
                var bodies = await Task.WhenAll(new[] { one, two }.Select(replica => replica.ReadAsync(key, () =>
                {
                    Interlocked.Increment(ref fetches);
                    return Task.FromResult(CacheReplica.Entry(key, EntryKind.Final, "fetched"));
                })));
                Assert.All(bodies, body => Assert.Equal("fetched", body));
            }
        }

        output.WriteLine($"two replicas on a busy thread pool: {Goal.Of(fetches, Rounds, $"fetches for {Rounds} keys")}");
        Assert.InRange(fetches, Rounds, 2 * Rounds);
    }
}
