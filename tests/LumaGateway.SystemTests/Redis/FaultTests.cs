using System.Net;

namespace LumaGateway.SystemTests.Redis;

/// <summary>
/// Redis in every kind of trouble: all replicas go on answering, health says so, and once the trouble is over Redis is used and answers are shared again.
/// Needs redis-server, except where Redis is only killed.
/// </summary>
[Collection(typeof(SharedSystem))]
public sealed class FaultTests(SharedSystem shared)
{
    [Fact]
    public Task A_killed_Redis_is_done_without_until_it_is_back() => EndureAsync(redis => Run(redis.Kill), redis => redis.RestartAsync());

    [Fact]
    public Task A_paused_Redis_is_done_without_until_it_goes_on() => EndureAsync(redis => Run(redis.Pause), redis => Run(redis.Resume));

    [Fact]
    public Task A_full_Redis_is_done_without_until_it_has_room() => EndureAsync(redis => redis.FillAsync(), redis => redis.EmptyAsync());

    [Fact]
    public Task A_read_only_Redis_is_done_without_until_it_can_be_written_to() => EndureAsync(redis => redis.MakeReadOnlyAsync(), redis => redis.MakeWritableAsync());

    [Fact]
    public async Task A_Redis_that_restarts_empty_is_used_again()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await EndureAsync(redis.Endpoint, () => redis.RestartAsync(), () => Task.CompletedTask, HasLostConnection);
    }

    [Fact]
    public async Task A_slow_Redis_is_done_without_until_it_is_quick()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var road = FaultProxy.To(redis.Port);
        await EndureAsync(road.Endpoint, () => Run(() => road.Delay = TimeSpan.FromSeconds(1)), () => Run(() => road.Delay = TimeSpan.Zero));
    }

    [Fact]
    public async Task A_Redis_behind_a_connection_that_breaks_is_used_again()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var road = FaultProxy.To(redis.Port);
        await EndureAsync(road.Endpoint, () => Run(road.Drop), () => Task.CompletedTask, HasLostConnection);
    }

    [Fact]
    public async Task A_Redis_that_refuses_the_password_is_done_without_until_it_takes_it()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--requirepass", "the-right-one");
        await EndureAsync($"{redis.Endpoint},password=the-wrong-one", () => Task.CompletedTask, () => redis.SetPasswordAsync("the-wrong-one"));
    }

    [Fact]
    public async Task A_Redis_that_is_absent_at_the_start_is_used_once_it_is_there()
    {
        RedisServer.Require();
        await using var redis = RedisServer.NotYet();
        await EndureAsync(redis.Endpoint, () => Task.CompletedTask, () => redis.RestartAsync());
    }

    private static Task Run(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private async Task EndureAsync(Func<RedisServer, Task> spoil, Func<RedisServer, Task> mend)
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await EndureAsync(redis.Endpoint, () => spoil(redis), () => mend(redis));
    }

    /// <param name="connection">The connection string.</param>
    /// <param name="spoil">Begins the trouble.</param>
    /// <param name="mend">Ends it.</param>
    /// <param name="hasNoticed">Whether a replica has noticed the trouble; null: its health says that it goes without Redis.</param>
    private async Task EndureAsync(string connection, Func<Task> spoil, Func<Task> mend, Func<GatewayProcess, Task<bool>>? hasNoticed = null)
    {
        hasNoticed ??= async replica => !await RedisUse.IsUsedAsync(replica);
        await using var fleet = await Fleet.StartAsync(shared.Sandbox, 2, connection, ("Cache:RedisTimeout", "00:00:00.15"), ("Cache:RedisPause", "00:00:00.5"));
        var known = NewId();
        await ReadFromAllAsync(fleet, known);

        await spoil();
        await Wait.UntilAsync(() => AllAnswerAndAsync(fleet, known, hasNoticed), SharedSystem.Patience, () => $"The trouble was not noticed.\n{fleet.Replicas[0].Log}");
        await AllAnswerAsync(fleet, known);

        await mend();
        await Wait.UntilAsync(() => AllAnswerAndAsync(fleet, known, RedisUse.IsUsedAsync), SharedSystem.Patience, () => $"Redis is not used again.\n{fleet.Replicas[0].Log}");
        await Wait.UntilAsync(() => IsSharedAsync(fleet), SharedSystem.Patience, () => $"Answers are not shared again.\n{fleet.Replicas[0].Log}");
    }

    private static string NewId() => $"done-{Guid.NewGuid():N}";

    private static async Task ReadFromAllAsync(Fleet fleet, string id)
    {
        foreach (var replica in fleet.Replicas)
        {
            Assert.Contains("\"state\":\"completed\"", await replica.ReadAsync(id), StringComparison.Ordinal);
        }
    }

    /// <summary>Every replica has what it knows, and gets what it does not know.</summary>
    private static async Task AllAnswerAsync(Fleet fleet, string known)
    {
        await ReadFromAllAsync(fleet, known);
        await ReadFromAllAsync(fleet, NewId());
    }

    private static async Task<bool> AllAnswerAndAsync(Fleet fleet, string known, Func<GatewayProcess, Task<bool>> holds)
    {
        await AllAnswerAsync(fleet, known);
        return (await Task.WhenAll(fleet.Replicas.Select(holds))).All(held => held);
    }

    private static async Task<bool> IsSharedAsync(Fleet fleet)
    {
        var id = NewId();
        await ReadFromAllAsync(fleet, id);
        return await fleet.Sandbox.CountAsync(id) == 1;
    }

    private static Task<bool> HasLostConnection(GatewayProcess replica) => Task.FromResult(replica.Log.Contains("connection to Redis was lost", StringComparison.Ordinal));
}

/// <summary>What a replica refuses while its Redis is gone.</summary>
[Collection(typeof(SharedSystem))]
public sealed class LostRedisTests(SharedSystem shared)
{
    [Fact]
    public async Task Without_Redis_a_purge_is_not_confirmed_and_a_create_with_a_key_is_not_sent()
    {
        const string Purged = "done-unpurged";
        const string Created = "done-uncreated";
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(shared.Sandbox, 1, redis.Endpoint);
        var replica = fleet.Replicas[0];
        await replica.ReadAsync(Purged);
        using var before = await Creates.SendAsync(replica, Created, "before");
        redis.Kill();

        using var purge = await replica.PurgeAsync(Purged);
        using var create = await Creates.SendAsync(replica, Created, "after");

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "cache_unavailable"), (purge.StatusCode, await Creates.CodeAsync(purge)));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "idempotency_unavailable"), (create.StatusCode, await Creates.CodeAsync(create)));
        Assert.NotNull(create.Headers.RetryAfter);
        Assert.Equal(1, await shared.Sandbox.CountAsync(Created));
    }
}
