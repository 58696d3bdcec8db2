using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Jobs;

/// <summary>
/// The jobs of creates in a real Redis, also of replicas that are killed. Needs redis-server. <c>JOB_KILLS</c>, <c>LEDGER_FAILOVERS</c> and <c>LEDGER_REPLICAS</c> in the environment
/// set the numbers of kills and failovers, and <c>Jobs:LedgerReplicas</c>.
/// </summary>
public sealed class JobRecordTests
{
    private const int CreatesPerKill = 8;

    private const string Jobs = "luma-gateway:{ledger}:job:1:";

    private static readonly int Kills = CountOf("JOB_KILLS", 3);
    private static readonly int Failovers = CountOf("LEDGER_FAILOVERS", 2);
    private static readonly string LedgerReplicas = CountOf("LEDGER_REPLICAS", 1).ToString(CultureInfo.InvariantCulture);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("key")]
    [InlineData(null)]
    public async Task A_create_is_recorded_in_one_script_with_its_indexes(string? key)
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var group = await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(1, redis.Endpoint));

        using var response = await SendAsync(group.Replicas[0], "done-recorded", key);
        using var refused = await SendAsync(group.Replicas[0], "unknown", key is null ? null : "other");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (response.StatusCode, refused.StatusCode));
        var id = (await Creates.JsonAsync(response)).GetProperty("id").GetString()!;
        Assert.Equal([Jobs + id], (await redis.KeysAsync(Jobs + "*")).Select(name => (string)name!));
        var database = await redis.DataAsync();
        using var job = JsonDocument.Parse((string)(await database.StringGetAsync(Jobs + id))!);
        Assert.Equal(
            ("sandbox", "relay", "system-tests", "system-tests", "queued", key is not null),
            (Text("Account"), Text("Dialect"), Text("Client"), Text("Group"), Text("State"), job.RootElement.TryGetProperty("IdempotencyKeyHash", out _)));
        foreach (var index in (string[])["luma-gateway:{ledger}:jobs:1", "luma-gateway:{ledger}:jobs:1:system-tests"])
        {
            Assert.Equal([id], (await database.SortedSetRangeByRankAsync(index)).Select(member => (string)member!));
        }

        string? Text(string name) => job.RootElement.GetProperty(name).GetString();
    }

    [Fact]
    public async Task The_list_of_jobs_is_the_same_on_every_replica_and_shows_final_states()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var group = await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(2, redis.Endpoint, ("Access:Ownership", "Group")));
        var created = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            using var response = await group.Replicas[i % 2].Client.PostAsJsonAsync(new Uri("/luma/generations", UriKind.Relative), new { user_prompt = "a cat" }, Cancelled);
            created.Insert(0, (await Creates.JsonAsync(response)).GetProperty("id").GetString()!);
        }

        var listed = new List<string?>();
        for (var cursor = ""; cursor is not null;)
        {
            var page = await group.Replicas[1].Client.GetFromJsonAsync<JsonElement>(new Uri($"/jobs?limit=3&cursor={cursor}", UriKind.Relative), Cancelled);
            listed.AddRange(page.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("id").GetString()));
            cursor = page.GetProperty("next_cursor").GetString();
        }

        Assert.Equal(created.Order(), listed.Order()); // those of one millisecond are in the order of their ids
        await group.Sandbox.SetStateAsync(created[0], "completed");
        (await group.Replicas[0].Client.GetAsync(new Uri($"/generations/{created[0]}", UriKind.Relative), Cancelled)).EnsureSuccessStatusCode();
        await Wait.UntilAsync(
            async () => (await group.Replicas[1].Client.GetFromJsonAsync<JsonElement>(new Uri("/jobs?state=completed", UriKind.Relative), Cancelled)).GetProperty("jobs").EnumerateArray()
                .Any(job => job.GetProperty("id").GetString() == created[0]),
            () => "The final state is not in the ledger.");
    }

    [Fact]
    public async Task A_replica_that_is_killed_during_creates_leaves_no_create_without_a_job_and_none_is_billed_twice()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var group = await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(2, redis.Endpoint));
        await group.Sandbox.AddFaultAsync(new SandboxFault("latency") { Delay = 100, Match = "POST */extend" });
        long sent = 0, twice = 0;
        var known = new List<string>();

        for (var kill = 0; kill < Kills; kill++)
        {
            var victim = group.Replicas[0];
            string[] generations = [.. Enumerable.Range(0, CreatesPerKill).Select(i => string.Create(CultureInfo.InvariantCulture, $"done-kill-{kill}-{i}"))];
            var creates = generations.Select((id, i) => TryCreateAsync(victim, id, KeyOf(id, i))).ToList();
            var responses = kill % CreatesPerKill;
            await foreach (var create in Task.WhenEach(creates).WithCancellation(Cancelled))
            {
                if (create.IsCompletedSuccessfully && responses-- == 0)
                {
                    break; // the responses of the others are on their way
                }
            }

            victim.Process.Kill();
            known.AddRange((await Task.WhenAll(creates)).OfType<string>());
            await group.ReplaceAsync(victim);

            var repeated = generations.Select((id, i) => (Id: id, Key: KeyOf(id, i))).Where(one => one.Key is not null).ToList();
            foreach (var (id, key) in repeated)
            {
                using var response = await SendAsync(group.Replicas[1], id, key);
                known.AddRange(response.IsSuccessStatusCode ? [(await Creates.JsonAsync(response)).GetProperty("id").GetString()!] : []);
            }

            var counts = (await group.Sandbox.CountsAsync()).ById;
            sent += generations.Sum(id => counts.GetValueOrDefault(id));
            twice += generations.Count(id => counts.GetValueOrDefault(id) > 1);
        }

        var jobs = (await redis.KeysAsync(Jobs + "*")).Select(name => ((string)name!)[Jobs.Length..]).ToHashSet();
        TestContext.Current.SendDiagnosticMessage($"{Kills} kills: {sent} creates sent, {known.Count} ids known to callers, {jobs.Count} jobs, {jobs.Count(job => job.StartsWith("create/", StringComparison.Ordinal))} of them unknown.");
        Assert.Equal(0, twice);
        Assert.All(known, id => Assert.Contains(id, jobs));
        Assert.True(jobs.Count >= sent, $"{sent} creates were sent, but the ledger has {jobs.Count} jobs.");
        Assert.True(sent > 0);
    }

    [Fact]
    public async Task A_create_before_a_failover_of_the_ledger_is_not_billed_twice()
    {
        RedisServer.Require();
        await using var pair = await RedisPair.StartAsync();
        await using var group = await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(1, pair.ConnectionString, ("Jobs:LedgerReplicas", LedgerReplicas)));
        var (twice, refused) = (0, 0);

        for (var failover = 0; failover < Failovers; failover++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"done-failover-{failover}");
            var master = await pair.MasterAsync();
            refused += await CreateUntilAcceptedAsync(group.Replicas[0], id);
            master.Kill();
            await Wait.UntilAsync(async () => !ReferenceEquals(await pair.MasterAsync(), master), TimeSpan.FromSeconds(60), () => "No failover.");

            await CreateUntilAcceptedAsync(group.Replicas[0], id);
            twice += await group.Sandbox.CountAsync(id) > 1 ? 1 : 0;
            await master.RestartAsync();
            await pair.WaitForReplicationAsync();
        }

        TestContext.Current.SendDiagnosticMessage($"{Failovers} failovers: {twice} creates billed twice, {refused} refused before they were sent.");
        Assert.Equal(0, twice);
    }

    /// <summary>Returns the number of refusals. A refused create was not sent.</summary>
    private static async Task<int> CreateUntilAcceptedAsync(GatewayProcess replica, string id)
    {
        var refused = 0;
        await Wait.UntilAsync(
            async () =>
            {
                using var response = await SendAsync(replica, id, id);
                refused += response.StatusCode is HttpStatusCode.ServiceUnavailable ? 1 : 0;
                return response.StatusCode is HttpStatusCode.OK;
            },
            TimeSpan.FromSeconds(60),
            () => $"The create of {id} is refused.\n{replica.Log}");
        return refused;
    }

    private static string? KeyOf(string id, int index) => index % 2 == 0 ? id : null;

    private static async Task<long> CountAsync(SandboxProcess sandbox, IEnumerable<string> ids)
    {
        var counts = (await sandbox.CountsAsync()).ById;
        return ids.Sum(id => counts.GetValueOrDefault(id));
    }

    /// <summary>The id of the created generation; null if the replica died before its response.</summary>
    private static async Task<string?> TryCreateAsync(GatewayProcess replica, string id, string? key)
    {
        try
        {
            using var response = await SendAsync(replica, id, key);
            return response.IsSuccessStatusCode ? (await Creates.JsonAsync(response)).GetProperty("id").GetString() : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayProcess replica, string id, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/luma/generations/{id}/extend") { Content = JsonContent.Create(new { prompt = "a cat" }) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await replica.Client.SendAsync(request, Cancelled);
    }

    private static int CountOf(string variable, int normal) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : normal;
}
