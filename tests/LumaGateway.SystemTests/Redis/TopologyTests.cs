using System.Globalization;
using StackExchange.Redis;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Redis behind Sentinel, as a Cluster, and over TLS: by the connection string alone.</summary>
public sealed class TopologyTests(ITestOutputHelper output)
{
    private const int Masters = 3;

    /// <summary>Replicas are served at once; by default a master waits five seconds for more of them.</summary>
    private static readonly string[] AtOnce = ["--repl-diskless-sync-delay", "0"];

    [Fact]
    public async Task A_failover_by_Sentinel_is_followed()
    {
        RedisServer.Require();
        await using var master = await RedisServer.StartAsync(AtOnce);
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1", Number(master.Port));
        await using var sentinel = await SentinelOfAsync(master);
        await Wait.UntilAsync(() => FollowsAsync(replica), TimeSpan.FromSeconds(15), () => "The replica did not follow its master.");
        await Wait.UntilAsync(
            async () => (await sentinel.ExecuteAsync("SENTINEL", "REPLICAS", "luma")).Length == 1,
            TimeSpan.FromSeconds(20),
            () => "Sentinel does not know the replica.");
        await using var fleet = await Fleet.StartAsync(2, $"{sentinel.Endpoint},serviceName=luma");
        await AssertSharedAsync(fleet, "done-before");

        master.Kill();

        await Wait.UntilAsync(
            () => IsMasterAsync(replica), TimeSpan.FromSeconds(30), () => "Sentinel promoted nobody.");
        var followed = await Wait.UntilAsync(() => IsSharedAsync(fleet), TimeSpan.FromSeconds(20), () => $"The new master is not used.\n{fleet.Replicas[0].Log}");
        output.WriteLine($"used again {followed.TotalSeconds:0.0} s after the promotion");
        await AssertSharedAsync(fleet, "done-after");
        Assert.NotEmpty(await replica.KeysAsync("*done-after*"));
    }

    [Fact]
    public async Task A_master_that_was_given_up_while_it_did_not_answer_is_used_once_it_does()
    {
        RedisServer.Require();
        await using var one = await RedisServer.StartAsync(AtOnce);
        await using var two = await RedisServer.StartAsync(AtOnce);
        await using var fleet = await Fleet.StartAsync(2, $"{one.Endpoint},{two.Endpoint}");
        await AssertSharedAsync(fleet, "done-before");
        var (chosen, other) = (await one.KeysAsync("*done-before*")).Length > 0 ? (one, two) : (two, one); // of two masters

        other.Pause();
        await chosen.ExecuteAsync("REPLICAOF", "127.0.0.1", Number(other.Port));
        await Wait.ForAsync(TimeSpan.FromSeconds(9)); // the client has asked who is who, and heard of no master
        other.Resume();

        var used = await Wait.UntilAsync(
            async () => (await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => IsSharedAsync(fleet)))).All(shared => shared),
            TimeSpan.FromSeconds(20),
            () => $"The master is not used.\n{fleet.Replicas[0].Log}");
        output.WriteLine($"used again {used.TotalSeconds:0.0} s after it answered");
        Assert.NotEmpty(await other.KeysAsync("*:final"));
    }

    [Fact]
    public async Task Answers_are_shared_through_a_Cluster_and_a_failover_in_it()
    {
        RedisServer.Require();
        var nodes = new List<RedisServer>();
        try
        {
            for (var i = 0; i < 2 * Masters; i++)
            {
                nodes.Add(await RedisServer.StartAsync([
                    "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", Number(FreePort.Next()), "--cluster-node-timeout", "1000", .. AtOnce]));
            }

            await FormClusterAsync(nodes);
            await using var fleet = await Fleet.StartAsync(2, string.Join(',', nodes.Select(node => node.Endpoint)));
            for (var i = 0; i < 20; i++)
            {
                await AssertSharedAsync(fleet, $"done-{i}");
            }

            var holding = await Task.WhenAll(nodes.Take(Masters).Select(node => node.KeysAsync("*:final")));
            Assert.All(holding, Assert.NotEmpty); // every master has its part

            await Wait.UntilAsync(() => FollowsAsync(nodes[Masters]), TimeSpan.FromSeconds(15), () => "The replica did not follow its master.");
            nodes[0].Kill();

            await Wait.UntilAsync(
                () => IsMasterAsync(nodes[Masters]), TimeSpan.FromSeconds(20), () => "The Cluster promoted nobody.");
            var followed = await Wait.UntilAsync(
                async () => (await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => IsSharedAsync(fleet)))).All(shared => shared),
                TimeSpan.FromSeconds(30),
                () => $"The new master is not used.\n{fleet.Replicas[0].Log}");
            output.WriteLine($"used again {followed.TotalSeconds:0.0} s after the promotion");
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Over_TLS_Redis_is_used_when_its_authority_is_trusted_and_only_then(bool isTrusted)
    {
        RedisServer.Require();
        using var certificates = new Certificates();
        await using var redis = await RedisServer.StartAsync(
            "--port", "0", "--tls-port", "{port}", "--tls-auth-clients", "no",
            "--tls-cert-file", certificates.Server, "--tls-key-file", certificates.ServerKey, "--tls-ca-cert-file", certificates.Authority);
        (string, string)[] trust = isTrusted ? [("SSL_CERT_FILE", certificates.Authority)] : [];
        await using var fleet = await Fleet.StartAsync(2, $"localhost:{redis.Port},ssl=true,sslHost=localhost", trust);

        var shared = await IsSharedAsync(fleet);

        Assert.Equal(isTrusted, shared);
    }

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
                TimeSpan.FromSeconds(15),
                () => "The nodes do not find each other.");
            await replica.ExecuteAsync("CLUSTER", "REPLICATE", master);
        }

        foreach (var node in nodes)
        {
            await Wait.UntilAsync(
                async () => (await node.ExecuteAsync("CLUSTER", "INFO")).ToString().Contains("cluster_state:ok", StringComparison.Ordinal)
                    && (await node.ExecuteAsync("CLUSTER", "NODES")).ToString().Split("slave ").Length > Masters,
                TimeSpan.FromSeconds(20),
                () => "The Cluster does not form.");
        }
    }

    /// <summary>Sentinel ends the connections of whom it promotes: a question that is under way then is asked again.</summary>
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

    private static async Task<bool> FollowsAsync(RedisServer replica) =>
        (await replica.ExecuteAsync("INFO", "replication")).ToString().Contains("master_link_status:up", StringComparison.Ordinal);

    private static async Task AssertSharedAsync(Fleet fleet, string id)
    {
        foreach (var replica in fleet.Replicas)
        {
            await replica.ReadAsync(id);
        }

        Assert.Equal(1, await fleet.Sandbox.CountAsync(id));
    }

    private static async Task<bool> IsSharedAsync(Fleet fleet)
    {
        var id = $"done-{Guid.NewGuid():N}";
        foreach (var replica in fleet.Replicas)
        {
            await replica.ReadAsync(id);
        }

        return await fleet.Sandbox.CountAsync(id) == 1;
    }
}
