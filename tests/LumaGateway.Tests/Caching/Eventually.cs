namespace LumaGateway.Tests.Caching;

/// <summary>Waits for events on other threads. The timeout ends a test that cannot pass.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>Waits until the condition holds.</summary>
    public static async Task TrueAsync(Func<bool> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Timeout, "The condition did not hold within two minutes.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>Waits until a task ends, for two minutes at most.</summary>
    public static Task<T> WithTimeout<T>(this Task<T> task) => task.WaitAsync(Timeout, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <inheritdoc cref="WithTimeout{T}"/>
    public static Task WithTimeout(this Task task) => task.WaitAsync(Timeout, TimeProvider.System, TestContext.Current.CancellationToken);
}
