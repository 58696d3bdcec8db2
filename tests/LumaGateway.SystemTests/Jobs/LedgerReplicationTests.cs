using System.Globalization;
using System.Net;
using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Jobs;

/// <summary>Writes of the ledger wait for the replicas of its Redis. Needs redis-server.</summary>
public sealed class LedgerReplicationTests
{
    [Fact]
    public async Task A_write_waits_for_the_replica_and_a_replica_that_does_not_confirm_is_logged()
    {
        RedisServer.Require();
        await using var master = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
        await using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1 " + master.Endpoint.Split(':')[1]);
        await Wait.UntilAsync(
            async () => ((string)(await master.ExecuteAsync("INFO", "replication"))!).Contains("state=online", StringComparison.Ordinal),
            () => "The replica did not connect.");
        var (group, management) = await StartGatewayAsync(master.Endpoint);
        await using var _ = group;

        var waitsOfFirst = 0L;
        await CreateUntilConfirmedAsync(group, management, "done-replicated", async attempt => waitsOfFirst = attempt == 0 ? await WaitsAsync(master) : waitsOfFirst);

        Assert.Equal(2, waitsOfFirst); // of the claim and of the response

        replica.Pause();
        using var slow = await Creates.SendAsync(group.Replicas[0], "done-not-replicated", "two");
        replica.Resume();

        Assert.Equal(HttpStatusCode.OK, slow.StatusCode);
        await Wait.UntilAsync(
            () => Task.FromResult(group.Replicas[0].Log.Contains("0 of 1 replicas of the ledger's Redis confirmed a write in time", StringComparison.Ordinal)),
            () => group.Replicas[0].Log);
    }

    /// <summary>Without <c>WAIT</c> the replica would get the record 200 ms after the caller got the response.</summary>
    [Fact]
    public async Task A_create_is_not_billed_twice_if_the_master_dies_when_its_caller_has_the_response()
    {
        RedisServer.Require();
        await using var master = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
        await using var slow = FaultProxy.To(master.Port);
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {slow.Port}");
        await Wait.UntilAsync(
            async () => ((string)(await master.ExecuteAsync("INFO", "replication"))!).Contains("state=online", StringComparison.Ordinal),
            () => "The replica did not connect.");
        var (group, management) = await StartGatewayAsync($"{master.Endpoint},{replica.Endpoint}");
        await using var _ = group;
        slow.Delay = TimeSpan.FromMilliseconds(200);

        var confirmed = await CreateUntilConfirmedAsync(group, management, "done-lost");
        master.Kill();
        await replica.ExecuteAsync("REPLICAOF", "NO", "ONE");

        await Wait.UntilAsync(
            async () =>
            {
                using var repeated = await Creates.SendAsync(group.Replicas[0], confirmed, confirmed);
                return repeated.StatusCode is HttpStatusCode.OK;
            },
            TimeSpan.FromSeconds(60),
            () => "The gateway does not use the new master.");
        Assert.Equal(1, await group.Sandbox.CountAsync(confirmed));
    }

    /// <summary>Without the setting the create is sent while the replica still waits for its first copy, and again after the failover.</summary>
    [Fact]
    public async Task With_LedgerReplicas_a_create_is_not_sent_before_the_replica_has_joined()
    {
        RedisServer.Require();
        await using var master = await RedisServer.StartAsync("--repl-diskless-sync-delay", "5");
        await using var replica = await RedisServer.StartAsync();
        await replica.MakeReadOnlyAsync(); // so that the gateway does not see two masters
        await using var group = await RedisUse.WaitUntilUsedAsync(
            await ReplicaGroup.StartAsync(1, $"{master.Endpoint},{replica.Endpoint}", ("Jobs:LedgerReplicas", "1")));
        await replica.ExecuteAsync("REPLICAOF", "127.0.0.1", master.Port);
        await Wait.UntilAsync(
            async () => ((string)(await master.ExecuteAsync("INFO", "replication"))!).Contains("state=wait_bgsave", StringComparison.Ordinal),
            () => "The replica did not connect.");

        using var refused = await Creates.SendAsync(group.Replicas[0], "done-joining", "joining");
        var sentEarly = await group.Sandbox.CountAsync("done-joining");
        await Wait.UntilAsync(
            async () =>
            {
                using var created = await Creates.SendAsync(group.Replicas[0], "done-joining", "joining");
                return created.StatusCode is HttpStatusCode.OK;
            },
            () => group.Replicas[0].Log);
        master.Kill();
        await replica.ExecuteAsync("REPLICAOF", "NO", "ONE");
        await Wait.UntilAsync(
            async () =>
            {
                using var repeated = await Creates.SendAsync(group.Replicas[0], "done-joining", "joining");
                return repeated.StatusCode is HttpStatusCode.OK;
            },
            () => group.Replicas[0].Log);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "idempotency_unavailable", 0), (refused.StatusCode, await Creates.CodeAsync(refused), sentEarly));
        Assert.Equal(1, await group.Sandbox.CountAsync("done-joining"));
    }

    private static async Task<(ReplicaGroup Group, int Management)> StartGatewayAsync(string redis) => await FreePort.UseAsync(async port =>
        (await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(1, redis, ("Management:Port", port.ToString(CultureInfo.InvariantCulture)))), port));

    /// <summary>Sends creates with new ids until the replica confirms all writes of one. A busy machine can take longer to confirm than a write waits.</summary>
    /// <returns>The id of the create, which is also its key.</returns>
    private static async Task<string> CreateUntilConfirmedAsync(ReplicaGroup group, int management, string prefix, Func<int, Task>? created = null)
    {
        var (attempt, id) = (0, "");
        await Wait.UntilAsync(
            async () =>
            {
                id = $"{prefix}-{attempt}";
                var unconfirmed = await UnconfirmedAsync(management);
                using var response = await Creates.SendAsync(group.Replicas[0], id, id);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                await (created?.Invoke(attempt++) ?? Task.CompletedTask);
                return await UnconfirmedAsync(management) == unconfirmed;
            },
            () => group.Replicas[0].Log);
        return id;
    }

    /// <summary>How many writes the replica did not confirm in time.</summary>
    private static async Task<int> UnconfirmedAsync(int management)
    {
        using var client = new HttpClient();
        var metrics = await client.GetStringAsync(new Uri($"http://127.0.0.1:{management}/metrics"), TestContext.Current.CancellationToken);
        var line = metrics.Split('\n').Single(line => line.StartsWith("luma_gateway_ledger_unreplicated", StringComparison.Ordinal));
        return int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private static async Task<long> WaitsAsync(RedisServer server)
    {
        var line = ((string)(await server.ExecuteAsync("INFO", "commandstats"))!).Split('\n').SingleOrDefault(line => line.StartsWith("cmdstat_wait:", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.Split("calls=")[1].Split(',')[0], null);
    }
}
