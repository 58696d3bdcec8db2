namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Polls a condition until it holds, and fails with a message after a timeout.</summary>
internal static class Wait
{
    /// <summary>The default timeout: longer than an overloaded machine needs.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits up to <see cref="Timeout"/>.</summary>
    public static Task UntilAsync(Func<Task<bool>> holds, Func<string> failureMessage) => UntilAsync(holds, Timeout, failureMessage);

    /// <summary>Waits up to <see cref="Timeout"/>.</summary>
    public static Task UntilAsync(Func<bool> holds, Func<string> failureMessage) => UntilAsync(holds, Timeout, failureMessage);

    /// <summary>Returns the elapsed time.</summary>
    public static async Task<TimeSpan> UntilAsync(Func<Task<bool>> holds, TimeSpan timeout, Func<string> failureMessage)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < timeout, failureMessage());
            await ForAsync(Interval);
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    public static Task<TimeSpan> UntilAsync(Func<bool> holds, TimeSpan timeout, Func<string> failureMessage) =>
        UntilAsync(() => Task.FromResult(holds()), timeout, failureMessage);

    /// <summary>Waits for a fixed time, for tests of durations.</summary>
    public static Task ForAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
}
