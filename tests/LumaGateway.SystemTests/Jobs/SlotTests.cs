using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Jobs;

/// <summary>Slots of one account over three replicas, one of which is killed. Needs redis-server. <c>SLOT_CREATES</c> in the environment sets the number of creates.</summary>
public sealed class SlotTests
{
    private const int Slots = 10;
    private static readonly TimeSpan QueueTimeout = TimeSpan.FromSeconds(90);

    private const string Active = "luma-gateway:{slots:sandbox}:active";

    private static readonly int CreateCount = int.TryParse(Environment.GetEnvironmentVariable("SLOT_CREATES"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 60;

    /// <summary>A create waits and runs at most this long. On a busy machine a round of jobs takes several times as long as on a quiet one.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(Math.Max(100, 20 + (0.4 * CreateCount)));

    /// <summary>How long a create without an id holds its slot, if its replica is killed.</summary>
    private static readonly TimeSpan LeaseLifetime = Timeout + TimeSpan.FromSeconds(30);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_burst_of_creates_is_never_refused_by_the_account_uses_its_slots_and_leaves_none_taken()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var sandbox = await SandboxProcess.StartAsync("--Sandbox:QueuedFor=00:00:00.5", "--Sandbox:ProcessingFor=00:00:01.5", "--Sandbox:MaxConcurrentJobs=10");
        await using var group = await RedisUse.WaitUntilUsedAsync(await ReplicaGroup.StartAsync(
            sandbox, 3, redis.Endpoint, ("Luma:MaxConcurrentJobs", "10"), ("Jobs:QueueTimeout", QueueTimeout.ToString()), ("Waiting:PollEvery", "00:00:00.5"), ("Waiting:PollFloor", "00:00:00.2"), ("Passthrough:CreateTimeout", Timeout.ToString())));

        var creates = Enumerable.Range(0, CreateCount).Select(i => CreateAsync(group.Replicas[i % 3], i)).ToList();
        var taken = new List<double>();
        await Wait.UntilAsync(
            async () =>
            {
                taken.Add(await TakenAsync(redis));
                return creates.Count(create => create.IsCompletedSuccessfully) > CreateCount / 3;
            },
            TimeSpan.FromSeconds(90),
            () => "The creates do not progress.");
        await Wait.UntilAsync(() => TryKillAsync(group.Replicas[2], redis), () => "The creates hold most slots all the time.");
        var results = await Task.WhenAll(creates);

        var ids = results.Where(result => result.Id is not null).Select(result => result.Id!).ToList();
        var used = taken.SkipWhile(static count => count < Slots).DefaultIfEmpty(0).Average() / Slots;
        var refused = (await sandbox.CountsAsync()).CreatesRefused;
        var most = await MostAtOnceAsync(sandbox, ids);
        TestContext.Current.SendDiagnosticMessage(
            $"{CreateCount} creates on {Slots} slots: {ids.Count} made, {results.Count(result => result.Status is null)} lost with the killed replica, {refused} refused by the upstream, at most {most} jobs at once, slots taken while creates wait {used:P1}.");
        Assert.All(results.Where((_, i) => i % 3 != 2), result => Assert.Equal(HttpStatusCode.OK, result.Status));
        Assert.Equal(0, refused);
        Assert.InRange(most, 2, Slots);
        Assert.True(used >= 0.95, $"Only {used:P1} of the slots were taken.");

        // The slots of finished jobs that nobody reads are free for new creates; those of the killed replica's creates expire.
        var later = await Task.WhenAll(Enumerable.Range(0, Slots / 2).Select(i => CreateAsync(group.Replicas[i % 2], CreateCount + i)));
        Assert.All(later, result => Assert.Equal(HttpStatusCode.OK, result.Status));
        foreach (var id in ids.Concat(later.Select(result => result.Id!)))
        {
            await Wait.UntilAsync(async () => await IsFinalAsync(group.Replicas[0], id), () => $"{id} is not final.");
        }

        await Wait.UntilAsync(async () => await TakenAsync(redis) == 0, LeaseLifetime + TimeSpan.FromSeconds(60), () => "A slot is left over.");
        Assert.Equal(0, (await sandbox.CountsAsync()).CreatesRefused);
    }

    /// <summary>The leases that have not expired.</summary>
    private static async Task<long> TakenAsync(RedisServer redis) =>
        await (await redis.DataAsync()).SortedSetLengthAsync(Active, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>
    /// Kills a replica unless it may hold more than half of the slots for creates that have no id yet: the creates of the other replicas could then wait in vain for
    /// their leases to expire. While the replica is paused, it takes no further slots.
    /// </summary>
    private static async Task<bool> TryKillAsync(GatewayProcess replica, RedisServer redis)
    {
        replica.Process.Pause();
        var holders = await (await redis.DataAsync()).SortedSetRangeByRankAsync(Active);
        var isKilled = holders.Count(static holder => holder.ToString().EndsWith('/')) <= Slots / 2;
        if (isKilled)
        {
            replica.Process.Kill();
        }
        else
        {
            replica.Process.Resume();
        }

        return isKilled;
    }

    private static async Task<bool> IsFinalAsync(GatewayProcess replica, string id) =>
        (await replica.Client.GetFromJsonAsync<JsonElement>(new Uri($"/generations/{id}", UriKind.Relative), Cancelled)).GetProperty("state").GetString() is "completed";

    private static async Task<(HttpStatusCode? Status, string? Id)> CreateAsync(GatewayProcess replica, int index)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = JsonContent.Create(new { user_prompt = "a cat" }) };
        if (index % 2 == 0)
        {
            request.Headers.Add("Idempotency-Key", $"slot-{index}");
        }

        try
        {
            using var response = await replica.Client.SendAsync(request, Cancelled);
            return (response.StatusCode, response.IsSuccessStatusCode ? (await Creates.JsonAsync(response)).GetProperty("id").GetString() : null);
        }
        catch (HttpRequestException)
        {
            return (null, null);
        }
    }

    /// <summary>From the times at which the upstream changed the states.</summary>
    private static async Task<int> MostAtOnceAsync(SandboxProcess sandbox, IReadOnlyList<string> ids)
    {
        using var control = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = sandbox.Address };
        var events = new List<(DateTimeOffset At, int Change)>();
        foreach (var id in ids)
        {
            var changes = (await control.GetFromJsonAsync<JsonElement>(new Uri($"/sandbox/generations/{id}", UriKind.Relative), Cancelled)).GetProperty("changes").EnumerateArray().ToList();
            events.Add((changes[0].GetProperty("at").GetDateTimeOffset(), 1));
            events.Add((changes[^1].GetProperty("at").GetDateTimeOffset(), -1));
        }

        var (running, most) = (0, 0);
        foreach (var (_, change) in events.Order())
        {
            most = Math.Max(most, running += change);
        }

        return most;
    }
}
