
namespace LumaGateway.SystemTests.Redis;

/// <summary>One replica fetches for all: and dies over it.</summary>
public sealed class LockTests(ITestOutputHelper output)
{
    private static readonly TimeSpan LockLifetime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Fetch = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task When_the_replica_that_fetches_is_killed_the_others_wait_no_longer_than_its_lock_lives_and_one_fetch()
    {
        const string Id = "fault-latency-2000-orphan";
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(3, redis.Endpoint);
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        var lost = Assert.ThrowsAnyAsync<Exception>(() => fleet.Replicas[0].ReadAsync(Id));
        await Wait.UntilAsync(async () => await fleet.Sandbox.CountAsync(Id) == 1, TimeSpan.FromSeconds(5), () => "The fetch did not begin.");
        var waiting = fleet.Replicas.Skip(1).Select(replica => replica.ReadAsync(Id)).ToList();
        await Wait.ForAsync(TimeSpan.FromMilliseconds(300)); // they have found the lock taken

        fleet.Replicas[0].Process.Kill();
        var begun = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(waiting);
        var took = TimeProvider.System.GetElapsedTime(begun);

        await lost;
        output.WriteLine($"answered {took.TotalSeconds:0.0} s after the kill; upstream requests: {await fleet.Sandbox.CountAsync(Id)}");
        Assert.InRange(took, TimeSpan.Zero, LockLifetime + Fetch + Slack);
        Assert.Equal(2, await fleet.Sandbox.CountAsync(Id));
    }
}
