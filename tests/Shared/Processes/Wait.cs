namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Waits for what another process will do: looks often, and fails with words when it takes too long.</summary>
internal static class Wait
{
    /// <summary>How long everything may take that must happen sooner or later: no machine is so busy that it takes longer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>Eventually: within <see cref="Patience"/>.</summary>
    public static Task UntilAsync(Func<Task<bool>> holds, Func<string> complaint) => UntilAsync(holds, Patience, complaint);

    /// <summary>Eventually: within <see cref="Patience"/>.</summary>
    public static Task UntilAsync(Func<bool> holds, Func<string> complaint) => UntilAsync(holds, Patience, complaint);

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
