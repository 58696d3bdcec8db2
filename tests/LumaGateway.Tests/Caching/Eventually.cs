namespace LumaGateway.Tests.Caching;

/// <summary>Waits for what happens on another thread. The bound is only there so that a test that can never pass ends.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    /// <summary>Waits until the condition holds.</summary>
    public static async Task TrueAsync(Func<bool> holds)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < Bound, "It did not come about within two minutes.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>Waits until a task ends, and gives its result.</summary>
    public static Task<T> WithTimeout<T>(this Task<T> task) => task.WaitAsync(Bound, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <inheritdoc cref="WithTimeout{T}"/>
    public static Task WithTimeout(this Task task) => task.WaitAsync(Bound, TimeProvider.System, TestContext.Current.CancellationToken);
}
