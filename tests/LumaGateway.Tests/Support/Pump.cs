namespace LumaGateway.Tests.Support;

/// <summary>Waits for what happens beside a request.</summary>
internal static class Pump
{
    /// <summary>Far more than a starved machine needs: it only ends a test that would hang.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Asks until the condition holds; fails after <see cref="Patience"/> of real time.</summary>
    public static Task EventuallyAsync(Func<bool> holds) => EventuallyAsync(() => Task.FromResult(holds()));

    /// <inheritdoc cref="EventuallyAsync(Func{bool})"/>
    public static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        var begun = TimeProvider.System.GetTimestamp();
        for (var tries = 0; !await holds(); tries++)
        {
            if (TimeProvider.System.GetElapsedTime(begun) > Patience)
            {
                Assert.Fail($"The condition did not come to hold within {Patience}.");
            }

            // Soon at first, so that a test does not wait for long; then seldom, so that it does not keep a busy machine from its work.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(tries, 10)), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
