namespace LumaGateway.SystemTests.Redis;

/// <summary>
/// Faults of Redis: all replicas keep serving requests, health reports the fault, and afterwards Redis is used and entries are shared again. One pair of replicas
/// is used for all faults, because starting replicas is slow. Needs redis-server.
/// </summary>
[Collection(typeof(SharedSystem))]
public sealed class FaultTests(SharedSystem shared)
{
    private const string Password = "initial-password";

    [Fact]
    public async Task Replicas_work_during_every_Redis_fault_and_use_Redis_again_after_it()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--requirepass", Password);
        await using var proxy = FaultProxy.To(redis.Port);
        redis.Kill();
        await using var group = await ReplicaGroup.StartAsync(
            shared.Sandbox,
            2,
            $"{proxy.Endpoint},password={Password}",
            ("Cache:RedisTimeout", "00:00:00.5"),
            ("Cache:RedisPause", "00:00:00.5"),
            ("Cache:LockLifetime", "00:00:03"));

        await TestFaultAsync("unavailable at the start", () => Task.CompletedTask, redis.RestartAsync);
        await TestFaultAsync("killed", () => Run(redis.Kill), redis.RestartAsync);
        await TestFaultAsync("paused", () => Run(redis.Pause), () => Run(redis.Resume));
        await TestFaultAsync("full", redis.FillAsync, redis.RemoveMemoryLimitAsync);
        await TestFaultAsync("read-only", redis.MakeReadOnlyAsync, redis.MakeWritableAsync);
        await TestFaultAsync("slow", () => Run(() => proxy.Delay = TimeSpan.FromSeconds(2)), () => Run(() => proxy.Delay = TimeSpan.Zero));
        await TestFaultAsync("behind another password", () => ChangePasswordAsync(redis), () => redis.SetPasswordAsync(Password));
        await TestFaultAsync("restarted, and empty", redis.RestartAsync, () => Task.CompletedTask, HasLostConnection());
        await TestFaultAsync("behind a connection that broke", () => Run(proxy.CloseConnections), () => Task.CompletedTask, HasLostConnection());

        async Task TestFaultAsync(string fault, Func<Task> cause, Func<Task> repair, Func<GatewayProcess, Task<bool>>? hasNoticed = null)
        {
            hasNoticed ??= async replica => !await RedisUse.IsUsedAsync(replica);
            var known = NewId();
            await ReadFromAllAsync(group, known);

            await cause();
            await ReadFromAllUntilAsync(group, known, hasNoticed, $"No replica noticed that Redis is {fault}.");
            await ReadFromAllUntilAsync(group, known, hasNoticed: null, $"Redis is {fault}.");

            await repair();
            await ReadFromAllUntilAsync(group, known, RedisUse.IsUsedAsync, $"Redis, which was {fault}, is not used again.");
            await Wait.UntilAsync(() => IsSharedAsync(group), () => $"Entries are not shared after Redis was {fault}.\n{group.Replicas[0].Log}");
        }

        Func<GatewayProcess, Task<bool>> HasLostConnection()
        {
            var before = group.Replicas.ToDictionary(replica => replica, Losses);
            return replica => Task.FromResult(Losses(replica) > before[replica]);
        }
    }

    private static Task Run(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    /// <summary>Closes the connections of clients too, because they do not authenticate again on open connections.</summary>
    private static async Task ChangePasswordAsync(RedisServer redis)
    {
        await redis.SetPasswordAsync("changed-password");
        await redis.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    }

    private static int Losses(GatewayProcess replica) => replica.Log.Split("Interactive connection to Redis was lost").Length;

    private static string NewId() => $"done-{Guid.NewGuid():N}";

    private static async Task ReadFromAllAsync(ReplicaGroup group, string id)
    {
        foreach (var replica in group.Replicas)
        {
            Assert.Contains("\"state\":\"completed\"", await replica.ReadAsync(id), StringComparison.Ordinal);
        }
    }

    /// <summary>Each replica serves a cached id and a new id, at least once, until the condition holds.</summary>
    private static async Task ReadFromAllUntilAsync(ReplicaGroup group, string known, Func<GatewayProcess, Task<bool>>? hasNoticed, string failureMessage)
    {
        foreach (var replica in group.Replicas)
        {
            await Wait.UntilAsync(
                async () =>
                {
                    await replica.ReadAsync(known);
                    await replica.ReadAsync(NewId()); // causes a read and a write in Redis
                    return hasNoticed is null || await hasNoticed(replica);
                },
                () => $"{failureMessage}\n{replica.Log}");
        }
    }

    private static async Task<bool> IsSharedAsync(ReplicaGroup group)
    {
        var id = NewId();
        await ReadFromAllAsync(group, id);
        return await group.Sandbox.CountAsync(id) == 1;
    }
}
