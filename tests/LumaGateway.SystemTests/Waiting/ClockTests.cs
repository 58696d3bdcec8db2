using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Waiting;

/// <summary>The clock of one replica is wrong by an hour, or is corrected. Needs libfaketime, and redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class ClockTests(SharedSystem shared) : IDisposable
{
    private const int Hour = 3600;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-clock-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Waits_end_in_time_after_the_clock_is_set_back()
    {
        const string Waited = "waited-for-in-the-past";
        const string Streamed = "streamed-in-the-past";
        var clock = NewClock();
        await using var group = await StartAsync("clock-waits", clock, 1);
        var replica = group.Replicas[0];
        await shared.Sandbox.SetStateAsync(Waited, "processing");
        await shared.Sandbox.SetStateAsync(Streamed, "processing");
        using var stream = await Waiter.ConnectAsync(replica.Address, $"/generations/{Streamed}/events");
        await Waiters.AssertReceivedAsync([stream], "processing");
        using var waiting = await Waiter.ConnectAsync(replica.Address, $"/generations/{Waited}", "wait=6");
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(Waited) > 0, () => "The wait did not start.");

        await SetClockAsync(clock, -Hour, replica);
        await shared.Sandbox.SetStateAsync(Streamed, "completed");

        await Waiters.AssertReceivedAsync([stream], "completed");
        await Waiters.AssertReceivedAsync([waiting], "processing"); // the wait timed out
    }

    [Fact]
    public async Task A_wrong_clock_does_not_lengthen_the_freshness_of_an_interim_entry()
    {
        var clock = NewClock();
        await using var group = await StartAsync("clock-reads", clock, 2);
        var wrong = group.Replicas[0];
        await AssertCompletionIsReadAsync("read-before-the-clock-is-set-back", -Hour);
        await SetClockAsync(clock, Hour, wrong);
        await AssertCompletionIsReadAsync("read-ahead-of-time", Hour);

        async Task AssertCompletionIsReadAsync(string id, int after)
        {
            await shared.Sandbox.SetStateAsync(id, "processing");
            foreach (var replica in group.Replicas)
            {
                Assert.Contains("processing", await replica.ReadAsync(id), StringComparison.Ordinal);
            }

            await SetClockAsync(clock, after, wrong);
            await shared.Sandbox.SetStateAsync(id, "completed");
            foreach (var replica in group.Replicas)
            {
                await Wait.UntilAsync(
                    async () => (await replica.ReadAsync(id)).Contains("completed", StringComparison.Ordinal), () => "A replica still serves the interim state.");
            }
        }
    }

    private FakeClock NewClock()
    {
        Assert.SkipUnless(FakeClock.IsInstalled, "Needs libfaketime, which is not installed on this machine.");
        return FakeClock.TryCreate(_folder.FullName)!;
    }

    /// <summary>The first replica uses the fake clock.</summary>
    private async Task<ReplicaGroup> StartAsync(string account, FakeClock clock, int replicas)
    {
        var group = await shared.StartAsync(0, account, ("Waiting:PollEvery", "00:00:00.5"), ("Waiting:PollFloor", "00:00:00.2"));
        await group.AddAsync([.. clock.Environment.Select(setting => (setting.Key, setting.Value))]);
        for (var i = 1; i < replicas; i++)
        {
            await group.AddAsync();
        }

        return await RedisUse.WaitUntilUsedAsync(group);
    }

    /// <summary>Moves the clock, and waits until the replica uses it.</summary>
    private static async Task SetClockAsync(FakeClock clock, int seconds, GatewayProcess replica)
    {
        clock.Move(seconds);
        await Wait.UntilAsync(
            async () =>
            {
                using var response = await replica.Client.GetAsync(new Uri("/health/live", UriKind.Relative), TestContext.Current.CancellationToken);
                var difference = response.Headers.Date!.Value - TimeProvider.System.GetUtcNow();
                return Math.Abs(difference.TotalSeconds - seconds) < Hour / 2;
            },
            () => "The replica's clock did not change.");
    }
}
