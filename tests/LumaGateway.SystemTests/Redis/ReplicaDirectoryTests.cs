using System.Globalization;
using System.Text.Json;

namespace LumaGateway.SystemTests.Redis;

/// <summary>The list of all replicas in the data of the status page. Needs redis-server or Garnet.</summary>
public sealed class ReplicaDirectoryTests
{
    [Fact]
    public async Task Every_replica_lists_all_replicas_and_a_stopped_one_is_removed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(0, redis.Endpoint);
        var ports = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            ports.Add(await FreePort.UseAsync(async port =>
            {
                await group.AddAsync(("Management:Port", port.ToString(CultureInfo.InvariantCulture)));
                return port;
            }));
        }

        await ListsAsync(ports[0], 3);
        var replica = default(JsonElement);
        await Wait.UntilAsync(
            async () => (replica = (await ReplicasAsync(ports[1]))[0]).GetProperty("health").GetString() is "healthy", // a replica may announce itself before it has connected
            () => $"A replica is not healthy.\n{replica}");
        Assert.Equal(["checks", "health", "name", "started_at", "version"], replica.EnumerateObject().Select(member => member.Name).Order());
        Assert.Equal(Environment.MachineName, replica.GetProperty("name").GetString());

        await AddForgedAsync(redis);
        group.Replicas[2].Process.Kill(); // its announcement expires
        await ListsAsync(ports[0], 2);

        group.Replicas[1].Process.Terminate();
        await ListsAsync(ports[0], 1);
        Assert.DoesNotContain(SandboxProcess.Token, (await ReplicasAsync(ports[0]))[0].GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_is_unknown_while_Redis_is_down_and_the_page_still_responds()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(0, redis.Endpoint);
        var port = await FreePort.UseAsync(async port =>
        {
            await group.AddAsync(("Management:Port", port.ToString(CultureInfo.InvariantCulture)), ("Cache:RedisTimeout", "00:00:00.5"));
            return port;
        });
        await ListsAsync(port, 1);

        redis.Kill();

        await Wait.UntilAsync(async () => (await StatusAsync(port)).GetProperty("replicas").ValueKind is JsonValueKind.Null, () => "The list is still known.");
    }

    /// <summary>Adds announcements that are malformed or too large; they must not appear or break the list.</summary>
    private static async Task AddForgedAsync(RedisServer redis)
    {
        var data = await redis.DataAsync();
        var index = (await redis.KeysAsync("*{@replicas}:index")).Single();
        var prefix = index.ToString()[..^"index".Length];
        foreach (var (name, value) in new[] { ("text", "x"), ("number", "1"), ("null", "null"), ("empty", "{}"), ("large", new string(' ', 10_000)) })
        {
            await data.StringSetAsync(prefix + name, value);
            await data.SetAddAsync(index, name);
        }

        await data.SetAddAsync(index, "expired");
    }

    private static Task ListsAsync(int port, int count) => Wait.UntilAsync(
        async () => (await StatusAsync(port)).GetProperty("replicas") is { ValueKind: JsonValueKind.Array } replicas && replicas.GetArrayLength() == count,
        () => $"The replica does not list {count} replicas.");

    private static async Task<List<JsonElement>> ReplicasAsync(int port) => [.. (await StatusAsync(port)).GetProperty("replicas").EnumerateArray()];

    private static async Task<JsonElement> StatusAsync(int port)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        client.DefaultRequestHeaders.Add("Accept", "application/json");
        var json = await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/status"), TestContext.Current.CancellationToken);
        return JsonDocument.Parse(json).RootElement;
    }
}
