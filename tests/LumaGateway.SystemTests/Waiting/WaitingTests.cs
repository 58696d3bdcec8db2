using System.Globalization;
using LumaGateway.SystemTests.Redis;
using LumaGateway.SystemTests.Upstream;

namespace LumaGateway.SystemTests.Waiting;

/// <summary>Many waiters on three replicas with one Redis. The sandbox counts the polls. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class WaitingTests(SharedSystem shared)
{
    /// <summary>An entry that any replica requested within 90 % of the interval replaces a poll.</summary>
    private static readonly TimeSpan BetweenPolls = SharedSystem.PollEvery * 0.9;

    private readonly IReadOnlyList<GatewayProcess> _replicas = shared.Group.Replicas;

    [Fact]
    public async Task Hundreds_of_waiters_on_one_id_cause_the_polls_of_one_and_all_get_the_final_state()
    {
        const string Id = "waited-for";
        await shared.Sandbox.SetStateAsync(Id, "processing");
        var waiters = await Waiters.ConnectAsync(300, i => (_replicas[i % 3].Address, $"/generations/{Id}", "wait=500"));
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(Id) >= 5, () => "The generation is not polled.");

        await shared.Sandbox.SetStateAsync(Id, "completed");
        await Waiters.AssertReceivedAsync(waiters, "completed");

        Gaps.AssertRateAtMostOneIn(BetweenPolls, await shared.Sandbox.ArrivalsAsync(Id));
        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task Waiters_get_the_end_of_generations_that_finish_at_random_times()
    {
        var random = new Random(1);
        string[] ids = [.. Enumerable.Range(0, 10).Select(i => $"run-{1000 + random.Next(2000)}ms-random-{i}")];
        var waiters = await Waiters.ConnectAsync(2 * ids.Length, i => (_replicas[i % 3].Address, $"/generations/{ids[i / 2]}/events", null));

        await Waiters.AssertReceivedAsync(waiters, "completed");

        foreach (var id in ids)
        {
            Gaps.AssertRateAtMostOneIn(BetweenPolls, await shared.Sandbox.ArrivalsAsync(id));
        }

        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task Many_forged_callbacks_cause_no_polls_beyond_the_floor()
    {
        const string Id = "called-back";
        const string Secret = "secret-of-the-system-tests";
        const string Long = "00:01:00";
        const int Callbacks = 200;
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Secret, TestContext.Current.CancellationToken);
        int[] management = [FreePort.Reserve(), FreePort.Reserve()];
        await using var group = await shared.StartAsync(
            0, "flood", ("Callbacks:SecretFile", file), ("Waiting:PollEvery", Long), ("Waiting:PollSlowest", Long), ("Waiting:PollFloor", Long));
        await Task.WhenAll(management.Select(port => group.AddAsync(("Management:Port", $"{port}"))));
        await RedisUse.WaitUntilUsedAsync(group);
        await shared.Sandbox.SetStateAsync(Id, "processing");
        var waiters = await Waiters.ConnectAsync(2, i => (group.Replicas[i].Address, $"/generations/{Id}/events", null));
        await Waiters.AssertReceivedAsync(waiters, "processing");

        await Task.WhenAll(Enumerable.Range(0, Callbacks).Select(async i =>
        {
            using var body = new StringContent(i % 2 == 0 ? $$"""{"id":"{{Id}}","state":"completed"}""" : $$"""{"id":"uncalled-{{i}}"}""");
            using var response = await group.Replicas[i / 2 % 2].Client.PostAsync(new Uri($"/callbacks/luma/{Secret}", UriKind.Relative), body, TestContext.Current.CancellationToken);
            Assert.Equal(204, (int)response.StatusCode);
        }));

        using var scraper = new HttpClient();
        var metrics = await Task.WhenAll(management.Select(port => scraper.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), TestContext.Current.CancellationToken)));
        var accepted = Hints("polled");
        Assert.InRange(accepted, 1, 2); // the first on each replica, unless the other replica's hint arrived before it
        Assert.Equal(Callbacks, accepted + Hints("ignored"));
        var counts = (await shared.Sandbox.CountsAsync()).ById;
        Assert.InRange(counts[Id], 1, 2); // the first read, and one poll after the floor
        Assert.DoesNotContain(counts.Keys, id => id.StartsWith("uncalled-", StringComparison.Ordinal));
        waiters.ForEach(waiter => waiter.Dispose());
        File.Delete(file);

        int Hints(string outcome) => metrics
            .Select(text => text.Split('\n').Single(line => line.StartsWith("luma_gateway_waiting_hints", StringComparison.Ordinal) && line.Contains($"\"{outcome}\"", StringComparison.Ordinal)))
            .Sum(line => int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_stopping_replica_ends_its_waits_and_another_replica_resumes_a_stream()
    {
        const string Id = "resumed";
        const string Waited = "waited-for-at-the-end";
        await shared.Sandbox.SetStateAsync(Id, "processing");
        await shared.Sandbox.SetStateAsync(Waited, "processing");
        await using var stopped = await shared.StartBesideAsync();
        var replica = stopped.Replicas[0];
        using var stream = await Waiter.ConnectAsync(replica.Address, $"/generations/{Id}/events");
        await Waiters.AssertReceivedAsync([stream], "processing");
        using var waiting = await Waiter.ConnectAsync(replica.Address, $"/generations/{Waited}", "wait=50");
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(Waited) > 0, () => "The wait did not start.");

        replica.Process.Terminate();
        var last = await stream.ReadAsync();
        await Waiters.AssertReceivedAsync([waiting], "processing");
        var exit = await replica.Process.WaitForExitAsync(Wait.Timeout);

        using var resumed = await Waiter.ConnectAsync(_replicas[1].Address, $"/generations/{Id}/events", lastEventId: "p"); // the id of the event with the state processing
        var head = await resumed.ReadAsync();
        await shared.Sandbox.SetStateAsync(Id, "completed");
        var rest = await resumed.TextUntilAsync("completed");

        Assert.NotNull(rest);
        Assert.DoesNotContain("\"state\":\"processing\"", head + rest, StringComparison.Ordinal);
        Assert.Contains("retry: ", last, StringComparison.Ordinal);
        Assert.Equal(0, exit);
    }
}
