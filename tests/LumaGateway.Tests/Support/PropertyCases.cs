using System.Globalization;

namespace LumaGateway.Tests.Support;

/// <summary>
/// How many cases a property test generates: a percentage of all its cases, 1 to 100, from the environment variable <see cref="Variable"/>.
/// Unset, it is a tenth. Any other value fails the test that asks.
/// </summary>
internal static class PropertyCases
{
    public const string Variable = "PROPERTY_CASES_PERCENT";

    private const int DefaultPercent = 10;

    /// <summary>The share of <paramref name="all"/> to generate.</summary>
    /// <param name="all">All cases of the property.</param>
    /// <param name="atLeast">The fewest cases from which the test may draw a conclusion, such as one about a mean.</param>
    public static int Of(int all, int atLeast = 1) => Share(all, atLeast, Environment.GetEnvironmentVariable(Variable));

    internal static int Share(int all, int atLeast, string? percent)
    {
        var value = DefaultPercent;
        if (!string.IsNullOrEmpty(percent)
            && (!int.TryParse(percent, NumberStyles.None, CultureInfo.InvariantCulture, out value) || value is < 1 or > 100))
        {
            throw new InvalidOperationException($"{Variable} is \"{percent}\"; it must be a whole number from 1 to 100.");
        }

        return Math.Max(atLeast, (int)((long)all * value / 100));
    }
}
