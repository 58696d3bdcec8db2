namespace LumaGateway.SystemTests.Upstream;

/// <summary>
/// The time between requests for one id, as the upstream receives them. A busy machine makes it longer, never shorter: the delay starts after the response to the
/// previous request.
/// </summary>
internal static class Gaps
{
    /// <summary>Arrival times have a resolution of milliseconds.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(5);

    public static void AssertAtLeast(TimeSpan minimum, IReadOnlyList<Arrival> arrivals)
    {
        Assert.True(arrivals.Count > 1, "There are fewer than two requests.");
        foreach (var (before, after) in arrivals.Zip(arrivals.Skip(1)))
        {
            Assert.True(after.At - before.At >= minimum - Rounding, $"The upstream got a request after {after.At - before.At}, less than {minimum}: {string.Join(", ", arrivals)}");
        }
    }
}
