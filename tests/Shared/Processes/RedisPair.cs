using System.Globalization;
using StackExchange.Redis;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A master, its replica and the Sentinel that monitors both. Every write is on disk before it is confirmed, so that a killed server has
/// all data after its restart. Needs <c>redis-server</c>: <see cref="RedisServer.Require"/> it first.
/// </summary>
internal sealed class RedisPair : IAsyncDisposable
{
    private const string Name = "luma";

    /// <summary>Without a delay: by default a master waits five seconds for more replicas before a full synchronization.</summary>
    private static readonly string[] DurableReplication = ["--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"];

    private static readonly TimeSpan SentinelTimeout = TimeSpan.FromSeconds(12);

    private readonly RedisServer _first;
    private readonly RedisServer _second;
    private readonly RedisServer _sentinel;

    private RedisPair(RedisServer first, RedisServer second, RedisServer sentinel) => (_first, _second, _sentinel) = (first, second, sentinel);

    /// <summary>The connection string for StackExchange.Redis.</summary>
    public string ConnectionString => $"{_sentinel.Endpoint},serviceName={Name}";

    public IReadOnlyList<RedisServer> Servers => [_first, _second];

    public static async Task<RedisPair> StartAsync()
    {
        var first = await RedisServer.StartAsync(DurableReplication);
        var second = await RedisServer.StartAsync(DurableReplication);
        await ReplicateAsync(second, first);
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
        await pair.WaitForReplicationAsync();
        return pair;
    }

    /// <summary>The master according to the Sentinel.</summary>
    public async Task<RedisServer> MasterAsync()
    {
        var address = await _sentinel.ExecuteAsync("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Name);
        return (int)address[1] == _first.Port ? _first : _second;
    }

    public RedisServer OtherThan(RedisServer server) => ReferenceEquals(server, _first) ? _second : _first;

    /// <summary>Requests a failover from the Sentinel. It may reject the request, for example shortly after another failover.</summary>
    public async Task FailOverAsync()
    {
        try
        {
            await _sentinel.ExecuteAsync("SENTINEL", "FAILOVER", Name);
        }
        catch (RedisServerException)
        {
            // The Sentinel rejected the request.
        }
    }

    /// <summary>Restarts a killed server as the replica of the current master, as its configuration file would do after a failover by Sentinel.</summary>
    public async Task RestartAsReplicaAsync(RedisServer server)
    {
        await server.RestartAsync();
        if (await MasterAsync() is var master && !ReferenceEquals(master, server))
        {
            await ReplicateAsync(server, master);
        }
    }

    /// <summary>
    /// Waits until there is one master, its replica is synchronized and the Sentinel knows both. After some seconds without success it configures the replication
    /// itself, like an operator.
    /// </summary>
    public async Task WaitForReplicationAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        await Wait.UntilAsync(
            async () => await IsSettledAsync() || (TimeProvider.System.GetElapsedTime(started) > SentinelTimeout && await ConfigureReplicationAsync()),
            () => "The replication did not start.");
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
            return await IsSynchronizedAsync(OtherThan(master)) && (await _sentinel.ExecuteAsync("SENTINEL", "REPLICAS", Name)).Length == 1;
        }
        catch (RedisException)
        {
            return false;
        }
    }

    /// <summary>Configures the replication again. Always returns false, because the result is not known yet.</summary>
    private async Task<bool> ConfigureReplicationAsync()
    {
        try
        {
            var master = await MasterAsync();
            await master.ExecuteAsync("REPLICAOF", "NO", "ONE");
            await ReplicateAsync(OtherThan(master), master);
        }
        catch (RedisException)
        {
            // The next attempt may succeed.
        }

        return false;
    }

    private static Task<RedisResult> ReplicateAsync(RedisServer server, RedisServer master) => server.ExecuteAsync("REPLICAOF", "127.0.0.1", Number(master.Port));

    private static async Task<bool> IsSynchronizedAsync(RedisServer server) =>
        (await server.ExecuteAsync("INFO", "replication")).ToString().Contains("master_link_status:up", StringComparison.Ordinal);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
