using System.Globalization;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>
/// Finds growing resources: compares the median of the last third of a run with the median from one sixth to one half. In a run of thirty minutes these are
/// the last ten minutes and the minutes five to fifteen.
/// </summary>
internal static class GrowthCheck
{
    /// <summary>Returns a line for each measure that has grown.</summary>
    public static IReadOnlyList<string> FailureLines(IReadOnlyList<ResourceSample> samples)
    {
        var length = samples[^1].At;
        var early = samples.Where(sample => sample.At >= length / 6 && sample.At <= length / 2).ToList();
        var late = samples.Where(sample => sample.At >= length * 2 / 3).ToList();

        return [.. ResourceSample.Measures
            .Select(measure => (measure.Name, Early: MedianOf(early, measure.Value), Late: MedianOf(late, measure.Value), Limit: (MedianOf(early, measure.Value) * (1 + measure.Share)) + measure.Noise))
            .Where(measure => measure.Late > measure.Limit)
            .Select(measure => string.Create(CultureInfo.InvariantCulture, $"{measure.Name} grew from {measure.Early:0} to {measure.Late:0}, limit {measure.Limit:0}"))];
    }

    private static double MedianOf(List<ResourceSample> samples, Func<ResourceSample, double> value) => samples.Select(value).Order().ElementAt(samples.Count / 2);
}
