using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>
/// Replicas that are short of CPU fetch once all the same: a soft time-out of Redis that comes late does not count. How late it comes depends on the machine,
/// so the count is reported; the fast suite tests the rule with a clock of its own. Needs redis-server or Garnet.
/// </summary>
public sealed class TurnTests(ITestOutputHelper output)
{
    private const int Rounds = 10;

    [Fact]
    public async Task Two_replicas_that_lack_CPU_share_a_fetch()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await CacheReplica.StartAsync(redis.Endpoint);
        await using var two = await CacheReplica.StartAsync(redis.Endpoint);
        var asked = 0;

        using (new BusyThreadPool())
        {
            for (var round = 0; round < Rounds; round++)
            {
                var key = GenerationId.Parse($"subject-{round}", null);
                var bodies = await Task.WhenAll(new[] { one, two }.Select(replica => replica.ReadAsync(key, () =>
                {
                    Interlocked.Increment(ref asked);
                    return Task.FromResult(CacheReplica.Entry(key, EntryKind.Final, "fetched"));
                })));
                Assert.All(bodies, body => Assert.Equal("fetched", body));
            }
        }

        output.WriteLine($"two replicas on a busy thread pool: {Goal.Of(asked, Rounds, $"fetches for {Rounds} keys")}");
        Assert.InRange(asked, Rounds, 2 * Rounds);
    }
}
