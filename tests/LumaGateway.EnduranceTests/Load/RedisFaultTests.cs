using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>Faults of Redis, under 200 requests a second on three replicas: no request fails, and Redis is used again. Needs redis-server.</summary>
public sealed class RedisFaultTests(ITestOutputHelper output)
{
    private const int PerSecond = 200;

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RecoveryGoal = TimeSpan.FromSeconds(3); // Cache:RedisPause and a reconnect
    private static readonly TimeSpan P99Goal = TimeSpan.FromSeconds(2);

    [Fact]
    public Task Redis_killed() => RunWithFaultAsync(redis => RunAsync(redis.Kill), redis => redis.RestartAsync());

    [Fact]
    public Task Redis_paused() => RunWithFaultAsync(redis => RunAsync(redis.Pause), redis => RunAsync(redis.Resume));

    [Fact]
    public Task Redis_full() => RunWithFaultAsync(redis => redis.FillAsync(), redis => redis.RemoveMemoryLimitAsync());

    [Fact]
    public Task Redis_a_read_only_replica() => RunWithFaultAsync(redis => redis.MakeReadOnlyAsync(), redis => redis.MakeWritableAsync());

    [Fact]
    public async Task Redis_restarted_empty()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await RunWithFaultAsync(redis.Endpoint, () => redis.RestartAsync(), () => Task.CompletedTask, isDegraded: false);
    }

    [Fact]
    public async Task Redis_slow()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.To(redis.Port);
        await RunWithFaultAsync(
            proxy.Endpoint,
            () => RunAsync(() => proxy.Delay = TimeSpan.FromMilliseconds(300)),
            () => RunAsync(() => proxy.Delay = TimeSpan.Zero));
    }

    [Fact]
    public async Task Redis_behind_a_connection_that_breaks()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.To(redis.Port);
        await RunWithFaultAsync(proxy.Endpoint, () => RunAsync(proxy.CloseConnections), () => Task.CompletedTask, isDegraded: false);
    }

    [Fact]
    public async Task Redis_with_another_password()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--requirepass", "the-right-one");
        await RunWithFaultAsync($"{redis.Endpoint},password=the-wrong-one", () => Task.CompletedTask, () => redis.SetPasswordAsync("the-wrong-one"));
    }

    [Fact]
    public async Task Redis_absent_at_the_start()
    {
        RedisServer.Require();
        await using var redis = RedisServer.CreateStopped();
        await RunWithFaultAsync(redis.Endpoint, () => Task.CompletedTask, () => redis.RestartAsync());
    }

    private static Task RunAsync(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private async Task RunWithFaultAsync(Func<RedisServer, Task> inject, Func<RedisServer, Task> repair)
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await RunWithFaultAsync(redis.Endpoint, () => inject(redis), () => repair(redis));
    }

    private async Task RunWithFaultAsync(string connection, Func<Task> inject, Func<Task> repair, bool isDegraded = true)
    {
        await using var group = await ReplicaGroup.StartAsync(3, connection);
        foreach (var replica in group.Replicas)
        {
            await Task.WhenAll(Enumerable.Range(0, 10).Select(i => replica.ReadAsync($"done-hot{i}"))); // runs the JIT before the measurement
        }

        var load = SteadyLoad.Start(PerSecond, number => group.Replicas[number % 3].GetAsync(IdOf(number)));
        await Wait.ForAsync(TimeSpan.FromSeconds(1));
        var before = load.Take();
        await inject();
        await Wait.ForAsync(Outage);
        var during = load.Take();
        if (isDegraded)
        {
            await Wait.UntilAsync(async () => !await IsUsedAsync(group.Replicas[0]), Timeout, () => $"The fault was not detected.\n{during}\n{group.Replicas[0].Log}");
        }

        await repair();
        var usedAgain = await Wait.UntilAsync(
            async () => (await Task.WhenAll(group.Replicas.Select(IsUsedAsync))).All(used => used),
            Timeout,
            () => "Redis is not used again.\n" + group.Replicas[0].Log);
        var after = await load.StopAsync();
        await AssertSharedAsync(group);

        output.WriteLine($"{TestContext.Current.TestMethod?.MethodName}: used again after {Goal.Of(usedAgain, RecoveryGoal)}, p99 during the fault {Goal.Of(during.P99, P99Goal)}");
        output.WriteLine($"  before: {before}");
        output.WriteLine($"  during: {during}");
        output.WriteLine($"  after:  {after}");
        output.WriteLine($"  upstream requests in total: {(await group.Sandbox.CountsAsync()).Total}; lines logged by one replica: {group.Replicas[0].Log.Count(c => c is '\n')}");
        Assert.All(new[] { before, during, after }, figures => Assert.NotEqual(0, figures.Count));
        Assert.All(new[] { before, during, after }, figures => Assert.Equal(0, figures.Failed));
    }

    /// <summary>85 % are final ids, 10 % interim ids and 5 % new ids.</summary>
    private static string IdOf(int number) => (number % 20) switch
    {
        0 => $"done-new{number}",
        1 or 2 => $"processing-{number % 60}",
        _ => $"done-hot{number % 50}",
    };

    private static async Task<bool> IsUsedAsync(GatewayProcess replica)
    {
        var health = await replica.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
        return health.GetProperty("checks").GetProperty("redis").GetString() is "healthy";
    }

    private static async Task AssertSharedAsync(ReplicaGroup group)
    {
        const string Id = "done-after-the-fault";
        await Wait.UntilAsync(
            async () =>
            {
                var id = $"{Id}-{Guid.NewGuid():N}";
                foreach (var replica in group.Replicas)
                {
                    await replica.ReadAsync(id);
                }

                return await group.Sandbox.CountAsync(id) == 1;
            },
            Timeout,
            () => "Entries are not shared again.");
    }
}
