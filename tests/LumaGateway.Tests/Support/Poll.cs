namespace LumaGateway.Tests.Support;

/// <summary>Polls a condition.</summary>
internal static class Poll
{
    /// <summary>Longer than a busy machine needs: it only ends a test that would hang.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>Waits until the condition holds; fails after <see cref="Timeout"/> of real time.</summary>
    public static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    /// <inheritdoc cref="UntilAsync(Func{bool})"/>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (var attempts = 0; !await holds(); attempts++)
        {
            if (TimeProvider.System.GetElapsedTime(start) > Timeout)
            {
                Assert.Fail($"The condition did not become true within {Timeout}.");
            }

            // Short delays first, for fast tests; then longer ones, which use less CPU.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(attempts, 10)), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
