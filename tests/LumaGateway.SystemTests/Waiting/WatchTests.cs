using LumaGateway.SystemTests.Redis;
using LumaGateway.SystemTests.Upstream;

namespace LumaGateway.SystemTests.Waiting;

/// <summary>
/// Which replica asks the upstream for all, when one of them or Redis is lost. Each replica has an address of its own for the sandbox, which tells them apart by
/// that. Needs redis-server or Garnet.
/// </summary>
[Collection(typeof(SharedSystem))]
public sealed class PollTargetTests(SharedSystem shared)
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task One_replica_polls_for_all_and_when_it_is_killed_one_other_takes_over()
    {
        const string Id = "orphaned";
        await shared.Sandbox.MoveAsync(Id, "processing");
        await using var road = FaultProxy.To(shared.Sandbox.Address.Port);
        await using var fleet = await StartAsync(shared.Redis.Endpoint, [.. Hosts, road.Endpoint], ("Luma:Name", "watch"), ("Waiting:LeaseLifetime", "00:00:03"));
        using var first = await Waiter.ConnectAsync(fleet.Replicas[0].Address, $"/generations/{Id}/events");
        await PolledAsync(Id, 2); // so that the first replica is the one that polls
        var others = await Waiters.ConnectAsync(2, i => (fleet.Replicas[1 + i].Address, $"/generations/{Id}/events", null));
        await Waiters.AssertToldAsync([first, .. others], "processing");

        await AssertOnePollsAsync(Id);

        fleet.Replicas[0].Process.Kill();
        await AssertOnePollsAsync(Id);
        Assert.NotEqual(Hosts[0], (await shared.Sandbox.ArrivalsAsync(Id))[^1].Host);

        await shared.Sandbox.MoveAsync(Id, "completed");
        await Waiters.AssertToldAsync(others, "completed");
        others.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task Without_a_usable_Redis_each_replica_polls_for_itself()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var road = FaultProxy.To(redis.Port);
        await using var fleet = await StartAsync(road.Endpoint, Hosts, ("Cache:RedisTimeout", "00:00:00.3"), ("Cache:RedisPause", "00:00:00.5"));
        await AssertEachPollsAsync("watched-while-redis-is-slow", () => road.Delay = TimeSpan.FromSeconds(5));
        await AssertEachPollsAsync("watched-while-redis-is-gone", () =>
        {
            road.Delay = TimeSpan.Zero;
            redis.Kill();
        });

        async Task AssertEachPollsAsync(string id, Action spoil)
        {
            await shared.Sandbox.MoveAsync(id, "processing");
            var waiters = await Waiters.ConnectAsync(2, i => (fleet.Replicas[i].Address, $"/generations/{id}/events", null));
            await Waiters.AssertToldAsync(waiters, "processing");

            spoil();
            var spoiled = TimeProvider.System.GetUtcNow();
            await Wait.UntilAsync(
                async () =>
                {
                    var after = (await shared.Sandbox.ArrivalsAsync(id)).Where(arrival => arrival.At > spoiled).CountBy(arrival => arrival.Host).ToList();
                    return after.Count == 2 && after.All(host => host.Value >= 2);
                },
                () => $"Not each replica polls for itself.\n{fleet.Replicas[0].Log}");

            await shared.Sandbox.MoveAsync(id, "completed");
            await Waiters.AssertToldAsync(waiters, "completed");
            foreach (var host in Hosts)
            {
                Gaps.AssertAtLeast(PollEvery / 2, [.. (await shared.Sandbox.ArrivalsAsync(id)).Where(arrival => arrival.Host == host)]);
            }

            waiters.ForEach(waiter => waiter.Dispose());
        }
    }

    [Fact]
    public async Task What_a_waiter_was_told_its_replica_knows_when_redis_and_the_upstream_are_gone()
    {
        const string Id = "told";
        await shared.Sandbox.MoveAsync(Id, "processing");
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await StartAsync(redis.Endpoint, Hosts);
        var waiters = await Waiters.ConnectAsync(2, i => (fleet.Replicas[i].Address, $"/generations/{Id}/events", null));
        await Waiters.AssertToldAsync(waiters, "processing");
        await shared.Sandbox.MoveAsync(Id, "completed");
        await Waiters.AssertToldAsync(waiters, "completed");

        redis.Kill();
        await shared.Sandbox.BreakAsync(new SandboxFault("reset") { Match = $"GET */{Id}" });

        foreach (var replica in fleet.Replicas)
        {
            // A caller may be told a moment before its replica has kept it.
            await Wait.UntilAsync(
                async () =>
                {
                    using var response = await replica.GetAsync(Id);
                    return (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains("\"state\":\"completed\"", StringComparison.Ordinal);
                },
                () => $"A replica does not know what it told.\n{replica.Log}");
        }

        waiters.ForEach(waiter => waiter.Dispose());
    }

    private string[] Hosts => [shared.Sandbox.Address.Authority, $"localhost:{shared.Sandbox.Address.Port}"];

    /// <summary>A replica for each address of the sandbox.</summary>
    private async Task<Fleet> StartAsync(string redis, IEnumerable<string> hosts, params (string Key, string Value)[] settings)
    {
        var fleet = await Fleet.StartAsync(shared.Sandbox, 0, redis, [("Waiting:PollEvery", PollEvery.ToString()), ("Waiting:PollFloor", "00:00:00.2"), .. settings]);
        foreach (var host in hosts)
        {
            await fleet.AddAsync(("Luma:BaseAddress", $"http://{host}/luma"));
        }

        return await RedisUse.UsedByAllAsync(fleet);
    }

    private async Task PolledAsync(string id, int more)
    {
        var before = await shared.Sandbox.CountAsync(id);
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(id) >= before + more, () => "It is not polled for.");
    }

    /// <summary>What may be on its way when it is asked about is left out: the last three polls come from one replica, sooner or later.</summary>
    private async Task AssertOnePollsAsync(string id)
    {
        await PolledAsync(id, 3);
        await Wait.UntilAsync(
            async () => (await shared.Sandbox.ArrivalsAsync(id)).TakeLast(3).DistinctBy(arrival => arrival.Host).Count() == 1,
            () => "Several replicas poll.");
    }
}
