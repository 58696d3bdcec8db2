using System.Globalization;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Redis with Sentinel, Cluster and TLS, configured by the connection string. Needs redis-server.</summary>
[Collection(typeof(SharedSystem))]
public sealed partial class TopologyTests(SharedSystem shared)
{
    private const int Masters = 3;

    /// <summary>Without a delay: by default a master waits five seconds for more replicas before a full synchronization.</summary>
    private static readonly string[] WithoutSyncDelay = ["--repl-diskless-sync-delay", "0"];

    [Fact]
    public async Task After_a_Sentinel_failover_the_new_master_is_used()
    {
        RedisServer.Require();
        await using var master = await RedisServer.StartAsync(WithoutSyncDelay);
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", Number(master.Port));
        await using var sentinel = await SentinelOfAsync(master);
        await Wait.UntilAsync(() => IsSynchronizedAsync(replica), () => "The replica did not synchronize.");
        await Wait.UntilAsync(
            async () => (await sentinel.ExecuteAsync("SENTINEL", "REPLICAS", "luma")).Length == 1,
            () => "Sentinel does not know the replica.");
        await using var group = await StartAsync(1, $"{sentinel.Endpoint},serviceName=luma");
        var gateway = group.Replicas[0];
        await AssertWrittenToAsync(master, gateway);

        master.Kill();

        await Wait.UntilAsync(() => IsMasterAsync(replica), () => "Sentinel did not promote the replica.");
        await AssertWrittenToAsync(replica, gateway);
    }

    [Fact]
    public async Task A_master_that_recovers_on_its_existing_connection_is_used_again()
    {
        RedisServer.Require();
        await using var one = await RedisServer.StartAsync(WithoutSyncDelay);
        await using var two = await RedisServer.StartAsync(WithoutSyncDelay);
        await using var group = await StartAsync(1, $"{one.Endpoint},{two.Endpoint},configCheckSeconds=1");
        var gateway = group.Replicas[0];
        await gateway.ReadAsync("done-two-masters");
        var (chosen, other) = (await one.KeysAsync("*done-two-masters*")).Length > 0 ? (one, two) : (two, one);

        other.Pause();
        await chosen.ExecuteAsync("REPLICAOF", "127.0.0.1", Number(other.Port));
        var roles = new RoleRequests(chosen);
        var before = await roles.CountAsync();
        await Wait.UntilAsync(async () => await roles.CountAsync() >= before + 6, () => "The client does not request the role."); // once a second, while no server is a master
        other.Resume();

        await AssertWrittenToAsync(other, gateway);
    }

    [Fact]
    public async Task Entries_are_shared_through_a_Cluster_and_after_a_failover_in_it()
    {
        RedisServer.Require();
        var nodes = new List<RedisServer>();
        try
        {
            for (var i = 0; i < 2 * Masters; i++)
            {
                nodes.Add(await RedisServer.StartAsync([
                    "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", Number(FreePort.Reserve()), "--cluster-node-timeout", "1000", .. WithoutSyncDelay]));
            }

            await FormClusterAsync(nodes);
            await using var group = await StartAsync(2, string.Join(',', nodes.Select(node => node.Endpoint)));
            for (var i = 0; i < 20; i++)
            {
                await AssertSharedAsync(group);
            }

            var entries = await Task.WhenAll(nodes.Take(Masters).Select(node => node.KeysAsync("*:final")));
            Assert.All(entries, Assert.NotEmpty); // every master has some of the entries

            await Wait.UntilAsync(() => IsSynchronizedAsync(nodes[Masters]), () => "The replica did not synchronize.");
            nodes[0].Kill();

            await Wait.UntilAsync(
                () => IsMasterAsync(nodes[Masters]), () => "The Cluster did not promote the replica.");
            await Wait.UntilAsync(
                async () => (await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => IsSharedAsync(group)))).All(shared => shared),
                () => $"The new master is not used.\n{group.Replicas[0].Log}");
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task Over_TLS_a_Redis_with_a_trusted_certificate_is_used()
    {
        RedisServer.Require();
        using var certificates = new Certificates();
        await using var redis = await StartTlsAsync(certificates);
        await using var group = await StartAsync(1, Tls(redis), ("SSL_CERT_FILE", certificates.Authority));

        await Wait.UntilAsync(
            async () =>
            {
                await group.Replicas[0].ReadAsync(NewId());
                return await RedisUse.IsUsedAsync(group.Replicas[0]);
            },
            () => $"Redis is not used.\n{group.Replicas[0].Log}");
    }

    [Fact]
    public async Task Over_TLS_a_Redis_with_an_untrusted_certificate_is_not_used()
    {
        RedisServer.Require();
        using var certificates = new Certificates();
        await using var redis = await StartTlsAsync(certificates);
        await using var group = await StartAsync(1, Tls(redis));

        await group.Replicas[0].ReadAsync(NewId());

        Assert.False(await RedisUse.IsUsedAsync(group.Replicas[0]));
    }

    private static Task<RedisServer> StartTlsAsync(Certificates certificates) => RedisServer.StartAsync(
        "--port", "0", "--tls-port", "{port}", "--tls-auth-clients", "no",
        "--tls-cert-file", certificates.Server, "--tls-key-file", certificates.ServerKey, "--tls-ca-cert-file", certificates.Authority);

    private static string Tls(RedisServer redis) => $"localhost:{redis.Port},ssl=true,sslHost=localhost";

    private static string NewId() => $"done-{Guid.NewGuid():N}";

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<RedisServer> SentinelOfAsync(RedisServer master)
    {
        var settings = Path.Combine(master.Folder, "sentinel.conf");
        await File.WriteAllTextAsync(
            settings,
            $"""
            sentinel monitor luma 127.0.0.1 {master.Port} 1
            sentinel down-after-milliseconds luma 1000
            sentinel failover-timeout luma 5000
            """,
            TestContext.Current.CancellationToken);
        return await RedisServer.StartSentinelAsync(settings);
    }

    private static async Task FormClusterAsync(List<RedisServer> nodes)
    {
        for (var i = 0; i < Masters; i++)
        {
            await nodes[i].ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", 16384 * i / Masters, (16384 * (i + 1) / Masters) - 1);
        }

        foreach (var node in nodes.Skip(1))
        {
            var bus = (await node.ExecuteAsync("CONFIG", "GET", "cluster-port"))[1].ToString();
            await nodes[0].ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", node.Port, bus);
        }

        var ids = new List<string>();
        foreach (var node in nodes)
        {
            ids.Add((await node.ExecuteAsync("CLUSTER", "MYID")).ToString());
        }

        foreach (var (replica, master) in nodes.Skip(Masters).Zip(ids))
        {
            await Wait.UntilAsync(
                async () => (await replica.ExecuteAsync("CLUSTER", "NODES")).ToString().Contains(master, StringComparison.Ordinal),
                () => "The nodes are not connected.");
            await replica.ExecuteAsync("CLUSTER", "REPLICATE", master);
        }

        foreach (var node in nodes)
        {
            await Wait.UntilAsync(
                async () => (await node.ExecuteAsync("CLUSTER", "INFO")).ToString().Contains("cluster_state:ok", StringComparison.Ordinal)
                    && (await node.ExecuteAsync("CLUSTER", "NODES")).ToString().Split("slave ").Length > Masters,
                () => "The Cluster is not ready.");
        }
    }

    /// <summary>Sentinel closes the connections of a server that it promotes, so a request can fail.</summary>
    private static async Task<bool> IsMasterAsync(RedisServer node)
    {
        try
        {
            return (await node.ExecuteAsync("ROLE"))[0].ToString() is "master";
        }
        catch (RedisConnectionException)
        {
            return false;
        }
    }

    private static async Task<bool> IsSynchronizedAsync(RedisServer replica) =>
        (await replica.ExecuteAsync("INFO", "replication")).ToString().Contains("master_link_status:up", StringComparison.Ordinal);

    /// <summary>Reads new ids until one is written to the server.</summary>
    private static Task AssertWrittenToAsync(RedisServer server, GatewayProcess gateway) => Wait.UntilAsync(
        async () =>
        {
            var id = NewId();
            await gateway.ReadAsync(id);
            return (await server.KeysAsync($"*{id}*:final")).Length > 0;
        },
        () => $"The master is not used.\n{gateway.Log}");

    /// <summary>Retries, because a busy replica may treat Redis as slow and not use it.</summary>
    private static Task AssertSharedAsync(ReplicaGroup group) =>
        Wait.UntilAsync(() => IsSharedAsync(group), () => $"Entries are not shared.\n{group.Replicas[0].Log}");

    private static async Task<bool> IsSharedAsync(ReplicaGroup group)
    {
        var id = NewId();
        foreach (var replica in group.Replicas)
        {
            await replica.ReadAsync(id);
        }

        return await group.Sandbox.CountAsync(id) == 1;
    }

    private Task<ReplicaGroup> StartAsync(int replicas, string redis, params (string Key, string Value)[] settings) =>
        ReplicaGroup.StartAsync(shared.Sandbox, replicas, redis, [("Cache:RedisTimeout", "00:00:00.3"), ("Cache:LockLifetime", "00:00:03"), .. settings]);

    /// <summary>Counts the INFO requests of other clients. Not thread-safe.</summary>
    private sealed partial class RoleRequests(RedisServer server)
    {
        private int _ownRequests;

        public async Task<int> CountAsync()
        {
            var statistics = (await server.ExecuteAsync("INFO", "commandstats")).ToString();
            return int.Parse(Calls().Match(statistics).Groups[1].Value, CultureInfo.InvariantCulture) - _ownRequests++;
        }

        [GeneratedRegex("cmdstat_info:calls=([0-9]+)")]
        private static partial Regex Calls();
    }
}
