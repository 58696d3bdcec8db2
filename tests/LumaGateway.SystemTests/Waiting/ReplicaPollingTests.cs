using LumaGateway.SystemTests.Redis;
using LumaGateway.SystemTests.Upstream;

namespace LumaGateway.SystemTests.Waiting;

/// <summary>
/// Polling by several replicas, also after a replica or Redis fails. Each replica uses a different host name for the sandbox, which identifies it there. Needs redis-server or
/// Garnet.
/// </summary>
[Collection(typeof(SharedSystem))]
public sealed class ReplicaPollingTests(SharedSystem shared)
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task All_replicas_together_poll_once_an_interval_also_after_one_is_killed()
    {
        const string Id = "orphaned";
        await shared.Sandbox.SetStateAsync(Id, "processing");
        await using var proxy = FaultProxy.To(shared.Sandbox.Address.Port);
        await using var group = await StartAsync(shared.Redis.Endpoint, [.. Hosts, proxy.Endpoint], ("Luma:Name", "polling"));
        var waiters = await Waiters.ConnectAsync(3, i => (group.Replicas[i].Address, $"/generations/{Id}/events", null));
        await Waiters.AssertReceivedAsync(waiters, "processing");
        await WaitForPollsAsync(Id, 6);

        group.Replicas[0].Process.Kill();
        await WaitForPollsAsync(Id, 6);
        Gaps.AssertRateAtMostOneIn(PollEvery * 0.9, await shared.Sandbox.ArrivalsAsync(Id));

        await shared.Sandbox.SetStateAsync(Id, "completed");
        await Waiters.AssertReceivedAsync(waiters[1..], "completed");
        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task Without_a_usable_Redis_each_replica_polls_for_its_own_waiters()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.To(redis.Port);
        await using var group = await StartAsync(proxy.Endpoint, Hosts, ("Cache:RedisTimeout", "00:00:00.3"), ("Cache:RedisPause", "00:00:00.5"));
        await AssertEachPollsAsync("polled-while-redis-is-slow", () => proxy.Delay = TimeSpan.FromSeconds(5));
        await AssertEachPollsAsync("polled-while-redis-is-down", () =>
        {
            proxy.Delay = TimeSpan.Zero;
            redis.Kill();
        });

        async Task AssertEachPollsAsync(string id, Action breakRedis)
        {
            await shared.Sandbox.SetStateAsync(id, "processing");
            var waiters = await Waiters.ConnectAsync(2, i => (group.Replicas[i].Address, $"/generations/{id}/events", null));
            await Waiters.AssertReceivedAsync(waiters, "processing");

            breakRedis();
            var brokenAt = TimeProvider.System.GetUtcNow();
            await Wait.UntilAsync(
                async () =>
                {
                    var after = (await shared.Sandbox.ArrivalsAsync(id)).Where(arrival => arrival.At > brokenAt).CountBy(arrival => arrival.Host).ToList();
                    return after.Count == 2 && after.All(host => host.Value >= 2);
                },
                () => $"Not every replica polls.\n{group.Replicas[0].Log}");

            await shared.Sandbox.SetStateAsync(id, "completed");
            await Waiters.AssertReceivedAsync(waiters, "completed");
            foreach (var host in Hosts)
            {
                Gaps.AssertRateAtMostOneIn(PollEvery / 2, [.. (await shared.Sandbox.ArrivalsAsync(id)).Where(arrival => arrival.Host == host)]);
            }

            waiters.ForEach(waiter => waiter.Dispose());
        }
    }

    [Fact]
    public async Task A_replica_serves_the_final_state_that_its_waiters_got_without_Redis_and_upstream()
    {
        const string Id = "received";
        await shared.Sandbox.SetStateAsync(Id, "processing");
        await using var redis = await RedisServer.StartAsync();
        await using var group = await StartAsync(redis.Endpoint, Hosts);
        var waiters = await Waiters.ConnectAsync(2, i => (group.Replicas[i].Address, $"/generations/{Id}/events", null));
        await Waiters.AssertReceivedAsync(waiters, "processing");
        await shared.Sandbox.SetStateAsync(Id, "completed");
        await Waiters.AssertReceivedAsync(waiters, "completed");

        redis.Kill();
        await shared.Sandbox.AddFaultAsync(new SandboxFault("reset") { Match = $"GET */{Id}" });

        foreach (var replica in group.Replicas)
        {
            // The waiter may get the state shortly before the replica stores it in memory.
            await Wait.UntilAsync(
                async () =>
                {
                    using var response = await replica.GetAsync(Id);
                    return (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains("\"state\":\"completed\"", StringComparison.Ordinal);
                },
                () => $"A replica does not serve the final state that its waiter got.\n{replica.Log}");
        }

        waiters.ForEach(waiter => waiter.Dispose());
    }

    private string[] Hosts => [shared.Sandbox.Address.Authority, $"localhost:{shared.Sandbox.Address.Port}"];

    /// <summary>Starts one replica for each host name of the sandbox.</summary>
    private async Task<ReplicaGroup> StartAsync(string redis, IEnumerable<string> hosts, params (string Key, string Value)[] settings)
    {
        var group = await ReplicaGroup.StartAsync(shared.Sandbox, 0, redis, [("Waiting:PollEvery", PollEvery.ToString()), ("Waiting:PollFloor", "00:00:00.2"), .. settings]);
        foreach (var host in hosts)
        {
            await group.AddAsync(("Luma:BaseAddress", $"http://{host}/luma"));
        }

        return await RedisUse.WaitUntilUsedAsync(group);
    }

    private async Task WaitForPollsAsync(string id, int more)
    {
        var before = await shared.Sandbox.CountAsync(id);
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(id) >= before + more, () => "The generation is not polled.");
    }
}
