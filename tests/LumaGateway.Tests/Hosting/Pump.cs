using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Hosting;

/// <summary>Moves a clock on in small steps until something that waits for it is done.</summary>
internal static class Pump
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    public static async Task<T> UntilAsync<T>(this FakeTimeProvider clock, Task<T> done)
    {
        for (var steps = 0; !done.IsCompleted && steps < 20_000; steps++)
        {
            // Real work between two steps must have the time to ask for its next timer.
            await Task.WhenAny(done, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestContext.Current.CancellationToken));
            clock.Advance(Step);
        }

        return await done.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
    }

    /// <summary>Asks until the answer is right, for what happens beside the request; fails after ten seconds of real time.</summary>
    public static Task EventuallyAsync(Func<bool> holds) => EventuallyAsync(() => Task.FromResult(holds()));

    /// <inheritdoc cref="EventuallyAsync(Func{bool})"/>
    public static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var tries = 0; tries < 1000; tries++)
        {
            if (await holds())
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Fail("It did not come about within ten seconds.");
    }
}
