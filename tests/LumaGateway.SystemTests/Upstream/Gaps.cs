namespace LumaGateway.SystemTests.Upstream;

/// <summary>
/// The time between requests for one id, as the upstream receives them. A busy machine makes it longer, never shorter: the delay starts after the response to the
/// previous request.
/// </summary>
internal static class Gaps
{
    /// <summary>Arrival times have a resolution of milliseconds.</summary>
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// At most one request an interval, and one more: on a busy machine, a request that arrives late shortens the gap after it. Use it if the interval starts with
    /// the request and not with its response.
    /// </summary>
    public static void AssertRateAtMostOneIn(TimeSpan interval, IReadOnlyList<Arrival> arrivals)
    {
        Assert.True(arrivals.Count > 1, "There are fewer than two requests.");
        var span = arrivals[^1].At - arrivals[0].At;
        Assert.True(span >= (interval * (arrivals.Count - 2)) - Rounding, $"The upstream got {arrivals.Count} requests in {span}, more than one in {interval}: {string.Join(", ", arrivals)}");
    }

    public static void AssertAtLeast(TimeSpan minimum, IReadOnlyList<Arrival> arrivals)
    {
        Assert.True(arrivals.Count > 1, "There are fewer than two requests.");
        foreach (var (before, after) in arrivals.Zip(arrivals.Skip(1)))
        {
            Assert.True(after.At - before.At >= minimum - Rounding, $"The upstream got a request after {after.At - before.At}, less than {minimum}: {string.Join(", ", arrivals)}");
        }
    }
}
