namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Waits for what another process will do: looks often, and fails with words when it takes too long.</summary>
internal static class Wait
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>The time it took.</summary>
    public static async Task<TimeSpan> UntilAsync(Func<Task<bool>> holds, TimeSpan patience, Func<string> complaint)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < patience, complaint());
            await ForAsync(Between);
        }

        return TimeProvider.System.GetElapsedTime(begun);
    }

    public static Task<TimeSpan> UntilAsync(Func<bool> holds, TimeSpan patience, Func<string> complaint) =>
        UntilAsync(() => Task.FromResult(holds()), patience, complaint);

    /// <summary>Lets time pass that is itself what is tested: the length of an outage, the end of a freshness.</summary>
    public static Task ForAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
}
