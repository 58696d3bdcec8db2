
namespace LumaGateway.SystemTests.Redis;

/// <summary>
/// Redis in every kind of trouble: all replicas go on answering, health says so, and once the trouble is over Redis is used and answers are shared again.
/// One pair of replicas goes through all of it, since replicas are what costs. Needs redis-server.
/// </summary>
[Collection(typeof(SharedSystem))]
public sealed class FaultTests(SharedSystem shared)
{
    private const string Password = "the-right-one";

    [Fact]
    public async Task Replicas_work_during_every_Redis_fault_and_use_Redis_again_after_it()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--requirepass", Password);
        await using var road = FaultProxy.To(redis.Port);
        redis.Kill();
        await using var fleet = await Fleet.StartAsync(
            shared.Sandbox,
            2,
            $"{road.Endpoint},password={Password}",
            ("Cache:RedisTimeout", "00:00:00.5"),
            ("Cache:RedisPause", "00:00:00.5"),
            ("Cache:LockLifetime", "00:00:03"));

        await EndureAsync("absent at the start", () => Task.CompletedTask, redis.RestartAsync);
        await EndureAsync("killed", () => Run(redis.Kill), redis.RestartAsync);
        await EndureAsync("paused", () => Run(redis.Pause), () => Run(redis.Resume));
        await EndureAsync("full", redis.FillAsync, redis.EmptyAsync);
        await EndureAsync("read-only", redis.MakeReadOnlyAsync, redis.MakeWritableAsync);
        await EndureAsync("slow", () => Run(() => road.Delay = TimeSpan.FromSeconds(2)), () => Run(() => road.Delay = TimeSpan.Zero));
        await EndureAsync("behind another password", () => ChangePasswordAsync(redis), () => redis.SetPasswordAsync(Password));
        await EndureAsync("restarted, and empty", redis.RestartAsync, () => Task.CompletedTask, HasLostConnection());
        await EndureAsync("behind a connection that broke", () => Run(road.Drop), () => Task.CompletedTask, HasLostConnection());

        async Task EndureAsync(string trouble, Func<Task> spoil, Func<Task> mend, Func<GatewayProcess, Task<bool>>? hasNoticed = null)
        {
            hasNoticed ??= async replica => !await RedisUse.IsUsedAsync(replica);
            var known = NewId();
            await ReadFromAllAsync(fleet, known);

            await spoil();
            await AllAnswerUntilAsync(fleet, known, hasNoticed, $"It was not noticed that Redis is {trouble}.");
            await AllAnswerUntilAsync(fleet, known, hasNoticed: null, $"Redis is {trouble}.");

            await mend();
            await AllAnswerUntilAsync(fleet, known, RedisUse.IsUsedAsync, $"Redis, which was {trouble}, is not used again.");
            await Wait.UntilAsync(() => IsSharedAsync(fleet), () => $"Answers are not shared by a Redis that was {trouble}.\n{fleet.Replicas[0].Log}");
        }

        Func<GatewayProcess, Task<bool>> HasLostConnection()
        {
            var before = fleet.Replicas.ToDictionary(replica => replica, Losses);
            return replica => Task.FromResult(Losses(replica) > before[replica]);
        }
    }

    private static Task Run(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    /// <summary>Clients that have their connection already would not notice.</summary>
    private static async Task ChangePasswordAsync(RedisServer redis)
    {
        await redis.SetPasswordAsync("another-one");
        await redis.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    }

    private static int Losses(GatewayProcess replica) => replica.Log.Split("Interactive connection to Redis was lost").Length;

    private static string NewId() => $"done-{Guid.NewGuid():N}";

    private static async Task ReadFromAllAsync(Fleet fleet, string id)
    {
        foreach (var replica in fleet.Replicas)
        {
            Assert.Contains("\"state\":\"completed\"", await replica.ReadAsync(id), StringComparison.Ordinal);
        }
    }

    /// <summary>Each replica answers what it knows and what it does not know, at least once, until the condition holds for each.</summary>
    private static async Task AllAnswerUntilAsync(Fleet fleet, string known, Func<GatewayProcess, Task<bool>>? hasNoticed, string complaint)
    {
        foreach (var replica in fleet.Replicas)
        {
            await Wait.UntilAsync(
                async () =>
                {
                    await replica.ReadAsync(known);
                    await replica.ReadAsync(NewId()); // which is read and written: only a replica that tries to finds out whether it can
                    return hasNoticed is null || await hasNoticed(replica);
                },
                () => $"{complaint}\n{replica.Log}");
        }
    }

    private static async Task<bool> IsSharedAsync(Fleet fleet)
    {
        var id = NewId();
        await ReadFromAllAsync(fleet, id);
        return await fleet.Sandbox.CountAsync(id) == 1;
    }
}
