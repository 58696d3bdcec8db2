using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace LumaGateway.SystemTests.Redis;

/// <summary>The Redis user that <c>infra/redis.md</c> documents, with the commands and the connection string of that page. Needs redis-server.</summary>
public sealed partial class AclUserTests
{
    private const string Password = "password-of-the-acl-user";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_documented_user_is_enough_for_cache_messages_and_ledger()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
        await using var copy = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {redis.Port}");
        await Wait.UntilAsync(
            async () => (await redis.ExecuteAsync("INFO", "replication")).ToString().Contains("state=online", StringComparison.Ordinal),
            () => "The replica did not connect.");
        var page = (await File.ReadAllTextAsync(Path.Combine(Repository.Root, "infra/redis.md"), Cancelled)).Replace("PASSWORD", Password, StringComparison.Ordinal);
        foreach (var words in UserCommand().Matches(page).Select(command => command.Value.Split(' ')))
        {
            await redis.ExecuteAsync(words[0], [.. words[1..]]);
        }

        await using var group = await StartAsync(ConnectionString().Match(page).Value.Replace("redis:6379", redis.Endpoint, StringComparison.Ordinal));

        await AssertCheckSucceedsAsync(group.Replicas[0]);
        await AssertCachedAsync(redis, group.Replicas[0]);
        await AssertPurgeReachesOtherReplicaAsync(group);
        await AssertCreateIsRecordedAsync(redis, group);
        await AssertEndedReplicaIsRemovedAsync(redis);

        Assert.Empty(await RefusalsAsync(redis));
        Assert.All(group.Replicas, replica => Assert.DoesNotContain("NOPERM", replica.Log, StringComparison.Ordinal));
    }

    /// <summary>Starts two replicas with everything that uses Redis: required replicas of the ledger, slots, and a management port.</summary>
    private static async Task<ReplicaGroup> StartAsync(string connection)
    {
        var group = await ReplicaGroup.StartAsync(
            0,
            connection,
            ("ConnectionStrings:Ledger", connection),
            ("Jobs:LedgerReplicas", "1"),
            ("Luma:MaxConcurrentJobs", "1000"),
            ("Luma:MaxCreatesPerMinute", "1000"),
            ("Cache:MemoryLifetime", "00:01:00"));
        for (var i = 0; i < 2; i++)
        {
            await FreePort.UseAsync(async port => await group.AddAsync(("Management:Port", port.ToString(CultureInfo.InvariantCulture))));
        }

        return await RedisUse.WaitUntilUsedAsync(group);
    }

    private static async Task AssertCheckSucceedsAsync(GatewayProcess replica)
    {
        await using var check = GatewayProcess.Launch(replica.Settings, "--check");

        Assert.True(await check.WaitForExitAsync(TimeSpan.FromSeconds(60)) == 0, check.Everything);
        Assert.DoesNotContain("NOPERM", check.Everything, StringComparison.Ordinal);
    }

    /// <summary>Reads new ids until one is in Redis: a busy replica may treat Redis as slow.</summary>
    private static Task AssertCachedAsync(RedisServer redis, GatewayProcess replica) => Wait.UntilAsync(
        async () =>
        {
            var id = $"done-{Guid.NewGuid():N}";
            await replica.ReadAsync(id);
            return (await redis.KeysAsync($"luma-gateway:*{id}*:final")).Length == 1;
        },
        () => $"The entry is not in Redis.\n{replica.Log}");

    /// <summary>Only a message can tell the other replica within half of <c>Cache:MemoryLifetime</c>.</summary>
    private static async Task AssertPurgeReachesOtherReplicaAsync(ReplicaGroup group)
    {
        const string Id = "done-purged";
        var other = group.Replicas[1];
        await group.Replicas[0].ReadAsync(Id);
        await other.ReadAsync(Id);
        await group.Sandbox.SetStateAsync(Id, "failed");

        using var purged = await group.Replicas[0].PurgeAsync(Id);

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        await Wait.UntilAsync(
            async () => (await other.ReadAsync(Id)).Contains("\"state\":\"failed\"", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30),
            () => $"The message of the purge did not arrive.\n{other.Log}");
    }

    private static async Task AssertCreateIsRecordedAsync(RedisServer redis, ReplicaGroup group)
    {
        const string Id = "done-created";
        using var created = await Creates.SendAsync(group.Replicas[0], Id, "key");
        using var repeated = await Creates.SendAsync(group.Replicas[1], Id, "key");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (created.StatusCode, repeated.StatusCode));
        Assert.True(repeated.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(1, await group.Sandbox.CountAsync(Id));
        var job = (await Creates.JsonAsync(created)).GetProperty("id").GetString()!;
        Assert.Single(await redis.KeysAsync($"luma-gateway:{{ledger}}:job:1:{job}"));
        Assert.Single(await redis.KeysAsync("luma-gateway:{slots:*}:active"));
        var jobs = await group.Replicas[1].Client.GetFromJsonAsync<System.Text.Json.JsonElement>(new Uri("/jobs", UriKind.Relative), Cancelled);
        Assert.Equal(job, jobs.GetProperty("jobs")[0].GetProperty("id").GetString());
    }

    /// <summary>The replicas read their list every few seconds, for the status page.</summary>
    private static async Task AssertEndedReplicaIsRemovedAsync(RedisServer redis)
    {
        var data = await redis.DataAsync();
        var index = (await redis.KeysAsync("luma-gateway:*{@replicas}:index")).Single();
        await data.SetAddAsync(index, "ended");

        await Wait.UntilAsync(async () => !await data.SetContainsAsync(index, "ended"), () => "The ended replica stays in the list.");
    }

    private static async Task<IEnumerable<string>> RefusalsAsync(RedisServer redis) =>
        ((RedisResult[])(await redis.ExecuteAsync("ACL", "LOG"))!).Select(refusal => string.Join(' ', (string[])refusal!));

    [GeneratedRegex("^ACL SETUSER .+$", RegexOptions.Multiline)]
    private static partial Regex UserCommand();

    [GeneratedRegex("^redis:6379,user=.+$", RegexOptions.Multiline)]
    private static partial Regex ConnectionString();
}
