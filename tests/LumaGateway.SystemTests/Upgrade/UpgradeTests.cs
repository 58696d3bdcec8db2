using System.Net;
using System.Net.Http.Json;
using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Upgrade;

/// <summary>
/// This version on a Redis with the data of the previous release, as <c>record</c> in this folder recorded it in <c>previous.tsv</c>. Needs redis-server.
/// </summary>
public sealed class UpgradeTests(SharedSandbox sandbox)
{
    private const string CreatedFrom = "done-created";
    private const string IdempotencyKey = "before-the-upgrade";

    private static readonly IReadOnlyList<(string Key, byte[] Dump)> Previous =
        [.. File.ReadLines(Path.Combine(Repository.Root, "tests/LumaGateway.SystemTests/Upgrade/previous.tsv")).Select(line => line.Split('\t')).Select(row => (row[0], Convert.FromBase64String(row[1])))];

    [Fact]
    public async Task Reads_purges_and_creates_leave_the_data_of_the_previous_release_as_it_is()
    {
        RedisServer.Require();
        await using var redis = await RedisWithPreviousDataAsync();
        await using var group = await StartAsync(redis);
        var replica = group.Replicas[0];
        var before = await DumpsAsync(redis);

        await replica.ReadAsync("fail-upgrade");
        await replica.ReadAsync("done-upgrade-new");
        using var purged = await replica.PurgeAsync("fail-upgrade");
        using var created = await Creates.SendAsync(replica, "done-upgrade-new", "after-the-upgrade");

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        Assert.Equal(HttpStatusCode.OK, created.StatusCode);
        var written = (await redis.KeysAsync("*")).Select(key => (string)key!).Except(Previous.Select(one => one.Key)).ToList();
        Assert.Contains(written, key => key.EndsWith("{done-upgrade-new}:final", StringComparison.Ordinal));
        Assert.Contains(written, key => key.StartsWith("luma-gateway:{ledger}:create:2:upgrade:relay:", StringComparison.Ordinal));
        // The previous release reads no other names, so it cannot read what this version wrote.
        Assert.DoesNotContain(written, key => key.StartsWith("luma-gateway:1:", StringComparison.Ordinal) || key.StartsWith("luma-gateway:create:upgrade:", StringComparison.Ordinal));
        Assert.Equal(before, await DumpsAsync(redis));
    }

    [Fact]
    public async Task An_entry_of_the_previous_release_is_a_miss()
    {
        RedisServer.Require();
        await using var redis = await RedisWithPreviousDataAsync();
        await using var group = await StartAsync(redis);

        using var response = await group.Replicas[0].GetAsync("done-upgrade");

        Assert.Equal("LumaGateway; fwd=miss; stored", response.Headers.GetValues("Cache-Status").Single());
        Assert.Single((await Creates.JsonAsync(response)).GetProperty("outputs").EnumerateArray(), output => output.GetProperty("type").GetString() is "video");
    }

    [Fact]
    public async Task A_create_of_the_previous_release_is_replayed_and_not_sent_again()
    {
        RedisServer.Require();
        await using var redis = await RedisWithPreviousDataAsync();
        await using var group = await StartAsync(redis);
        var before = await group.Sandbox.CountAsync(CreatedFrom);

        using var repeated = await Creates.SendAsync(group.Replicas[0], CreatedFrom, IdempotencyKey);
        using var reused = await SendAnotherBodyAsync(group.Replicas[0]);

        Assert.Equal(HttpStatusCode.OK, repeated.StatusCode);
        Assert.Equal("true", repeated.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.NotEqual("", (await Creates.JsonAsync(repeated)).GetProperty("id").GetString());
        Assert.Equal("idempotency_key_reused", await Creates.CodeAsync(reused));
        Assert.Equal(before, await group.Sandbox.CountAsync(CreatedFrom));
        Assert.DoesNotContain(await redis.KeysAsync("luma-gateway:{ledger}:create:*"), _ => true);
    }

    private static async Task<HttpResponseMessage> SendAnotherBodyAsync(GatewayProcess replica)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/luma/generations/{CreatedFrom}/extend") { Content = JsonContent.Create(new { prompt = "a dog" }) };
        request.Headers.Add("Idempotency-Key", IdempotencyKey);
        return await replica.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<RedisServer> RedisWithPreviousDataAsync()
    {
        var redis = await RedisServer.StartAsync([]);
        foreach (var (key, dump) in Previous)
        {
            await (await redis.DataAsync()).KeyRestoreAsync(key, dump, TimeSpan.FromHours(1));
        }

        return redis;
    }

    /// <summary>The bytes of each recorded key. Not those of the file: a server may restore the fields of a hash in another order.</summary>
    private static async Task<List<string>> DumpsAsync(RedisServer redis)
    {
        var database = await redis.DataAsync();
        var dumps = new List<string>();
        foreach (var (key, _) in Previous)
        {
            dumps.Add(Convert.ToBase64String(await database.KeyDumpAsync(key) ?? []));
        }

        return dumps;
    }

    private async Task<ReplicaGroup> StartAsync(RedisServer redis) =>
        await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(await sandbox.GetAsync(), 1, redis.Endpoint, [("Luma:Name", "upgrade")]));
}
