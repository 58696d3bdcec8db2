
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The clock of one replica is wrong by an hour, or is set right again. Needs libfaketime.</summary>
public sealed class ClockTests
{
    private const int Hour = 3600;

    private const string Id = "clocked";

    /// <summary>What a second of libfaketime's cache, a poll, and a machine with other work may take.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(8);

    [Fact]
    public async Task A_clock_that_is_set_back_keeps_nobody_waiting()
    {
        await using var system = await StartAsync(0);
        using var brief = await WaitAsync(system, "processing-1", "wait=3");
        using var waiter = await WaitAsync(system, Id, "wait=40");
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5));
        var begun = TimeProvider.System.GetTimestamp();

        system.Clock!.Move(-Hour);
        var timeUp = brief.UntilAsync("processing");
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5));
        await system.Sandbox.MoveAsync(Id, "completed");
        var told = waiter.UntilAsync("completed");

        Assert.NotNull(await timeUp.WaitAsync(Soon, TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.NotNull(await told.WaitAsync(Soon, TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.InRange(TimeProvider.System.GetElapsedTime(begun), TimeSpan.Zero, Soon * 1.5);
    }

    [Theory]
    [InlineData(Hour, Hour)]
    [InlineData(0, -Hour)]
    public async Task An_unfinished_answer_is_believed_no_longer_because_of_a_clock(int before, int after)
    {
        await using var system = await StartAsync(before);
        foreach (var replica in system.Replicas.Reverse())
        {
            Assert.Contains("processing", await replica.Gateway.ReadAsync(Id), StringComparison.Ordinal);
        }

        system.Clock!.Move(after);
        await system.Sandbox.MoveAsync(Id, "completed");

        foreach (var replica in system.Replicas)
        {
            await Wait.UntilAsync(
                async () => (await replica.Gateway.ReadAsync(Id)).Contains("completed", StringComparison.Ordinal), Soon, () => $"Replica {replica.Number} goes on with what was.");
        }
    }

    private static async Task<ChaosSystem> StartAsync(int seconds)
    {
        RedisServer.Require();
        Assert.SkipUnless(FakeClock.IsInstalled, "Needs libfaketime, which is not installed on this machine.");
        var system = await ChaosSystem.StartAsync();
        system.Clock!.Move(seconds);
        await system.Sandbox.MoveAsync(Id, "processing");
        await Wait.ForAsync(TimeSpan.FromSeconds(1.5));
        return system;
    }

    private static Task<Waiter> WaitAsync(ChaosSystem system, string id, string prefer) =>
        Waiter.ConnectAsync(system.Replicas[FaultPlan.ReplicaWithClock].Gateway.Address, $"/generations/{id}", prefer);
}
