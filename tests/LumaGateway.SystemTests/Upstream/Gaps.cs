namespace LumaGateway.SystemTests.Upstream;

/// <summary>
/// The time between requests about one id, as the upstream sees them. A process that is short of CPU makes it longer, never shorter: the next request is
/// decided on a known time after the answer to the one before, which came after that arrived.
/// </summary>
internal static class Gaps
{
    /// <summary>Times are kept in whole milliseconds.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(5);

    public static void AssertAtLeast(TimeSpan shortest, IReadOnlyList<Arrival> arrivals)
    {
        Assert.True(arrivals.Count > 1, "There are no two requests to look at.");
        foreach (var (before, after) in arrivals.Zip(arrivals.Skip(1)))
        {
            Assert.True(after.At - before.At >= shortest - Rounding, $"The upstream was asked again after {after.At - before.At}, and not {shortest}: {string.Join(", ", arrivals)}");
        }
    }
}
