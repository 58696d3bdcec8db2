using System.Globalization;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>
/// Whether something grows: the median of a run's last third is held against that of the time from its sixth part to its half. In thirty minutes these are the
/// last ten and the minutes five to fifteen.
/// </summary>
internal static class Flatness
{
    /// <summary>What has grown, in words.</summary>
    public static IReadOnlyList<string> FailureLines(IReadOnlyList<Vitals> samples)
    {
        var length = samples[^1].At;
        var early = samples.Where(sample => sample.At >= length / 6 && sample.At <= length / 2).ToList();
        var late = samples.Where(sample => sample.At >= length * 2 / 3).ToList();

        return [.. Vitals.Kinds
            .Select(kind => (kind.Name, Early: MedianOf(early, kind.Of), Late: MedianOf(late, kind.Of), Most: (MedianOf(early, kind.Of) * (1 + kind.Share)) + kind.Noise))
            .Where(kind => kind.Late > kind.Most)
            .Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Name} grew from {kind.Early:0} to {kind.Late:0}, of at most {kind.Most:0}"))];
    }

    private static double MedianOf(List<Vitals> samples, Func<Vitals, double> of) => samples.Select(of).Order().ElementAt(samples.Count / 2);
}
