using System.Globalization;
using StackExchange.Redis;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A master, its replica and the Sentinel that watches over both. Whatever they take in is on disk before they say so, so that a server that is
/// killed has lost nothing when it comes back. Needs <c>redis-server</c>: <see cref="RedisServer.Require"/> it first.
/// </summary>
internal sealed class RedisPair : IAsyncDisposable
{
    private const string Name = "luma";

    /// <summary>A replica is served at once; by default a master waits five seconds for more of them.</summary>
    private static readonly string[] Usual = ["--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"];

    private static readonly TimeSpan SentinelHas = TimeSpan.FromSeconds(12);

    private readonly RedisServer _first;
    private readonly RedisServer _second;
    private readonly RedisServer _sentinel;

    private RedisPair(RedisServer first, RedisServer second, RedisServer sentinel) => (_first, _second, _sentinel) = (first, second, sentinel);

    /// <summary>For StackExchange.Redis.</summary>
    public string ConnectionString => $"{_sentinel.Endpoint},serviceName={Name}";

    public IReadOnlyList<RedisServer> Servers => [_first, _second];

    public static async Task<RedisPair> StartAsync()
    {
        var first = await RedisServer.StartAsync(Usual);
        var second = await RedisServer.StartAsync(Usual);
        await FollowAsync(second, first);
        var settings = Path.Combine(first.Folder, "sentinel.conf");
        await File.WriteAllTextAsync(
            settings,
            $"""
            sentinel monitor {Name} 127.0.0.1 {first.Port} 1
            sentinel down-after-milliseconds {Name} 1000
            sentinel failover-timeout {Name} 5000
            """,
            TestContext.Current.CancellationToken);
        var pair = new RedisPair(first, second, await RedisServer.StartSentinelAsync(settings));
        await pair.SettleAsync();
        return pair;
    }

    /// <summary>Whom the Sentinel takes for the master.</summary>
    public async Task<RedisServer> MasterAsync()
    {
        var address = await _sentinel.ExecuteAsync("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Name);
        return (int)address[1] == _first.Port ? _first : _second;
    }

    public RedisServer OtherThan(RedisServer server) => ReferenceEquals(server, _first) ? _second : _first;

    /// <summary>Asks the Sentinel to make the other one the master. It may decline: just after another failover, for one.</summary>
    public async Task FailOverAsync()
    {
        try
        {
            await _sentinel.ExecuteAsync("SENTINEL", "FAILOVER", Name);
        }
        catch (RedisServerException)
        {
            // It declined.
        }
    }

    /// <summary>Starts a killed server again, as the replica of whoever is master now: a Sentinel would have written so into its settings.</summary>
    public async Task ReviveAsync(RedisServer server)
    {
        await server.RestartAsync();
        if (await MasterAsync() is var master && !ReferenceEquals(master, server))
        {
            await FollowAsync(server, master);
        }
    }

    /// <summary>
    /// Waits until there is one master, its replica follows it and the Sentinel knows both. The Sentinel has some seconds to see to it, then an
    /// operator does.
    /// </summary>
    public async Task SettleAsync()
    {
        var begun = TimeProvider.System.GetTimestamp();
        await Wait.UntilAsync(
            async () => await IsSettledAsync() || (TimeProvider.System.GetElapsedTime(begun) > SentinelHas && await OrderAsync()),
            () => "The master and its replica do not find each other.");
    }

    public async ValueTask DisposeAsync()
    {
        await _sentinel.DisposeAsync();
        await _second.DisposeAsync();
        await _first.DisposeAsync();
    }

    private async Task<bool> IsSettledAsync()
    {
        try
        {
            var master = await MasterAsync();
            return await LinkOfAsync(OtherThan(master)) && (await _sentinel.ExecuteAsync("SENTINEL", "REPLICAS", Name)).Length == 1;
        }
        catch (RedisException)
        {
            return false;
        }
    }

    /// <summary>Says again who is who. Always false: whether it helped is still to be seen.</summary>
    private async Task<bool> OrderAsync()
    {
        try
        {
            var master = await MasterAsync();
            await master.ExecuteAsync("REPLICAOF", "NO", "ONE");
            await FollowAsync(OtherThan(master), master);
        }
        catch (RedisException)
        {
            // Not now, then.
        }

        return false;
    }

    private static Task<RedisResult> FollowAsync(RedisServer server, RedisServer master) => server.ExecuteAsync("REPLICAOF", "127.0.0.1", Number(master.Port));

    private static async Task<bool> LinkOfAsync(RedisServer server) =>
        (await server.ExecuteAsync("INFO", "replication")).ToString().Contains("master_link_status:up", StringComparison.Ordinal);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
