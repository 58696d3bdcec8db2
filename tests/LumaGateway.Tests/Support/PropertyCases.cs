using System.Globalization;
using CsCheck;

namespace LumaGateway.Tests.Support;

/// <summary>
/// The number of cases of a property test: a percentage of the cases that CI runs, 1 to 100,000, from the environment variable <see cref="Variable"/>; by default 10.
/// Another value fails the test.
/// </summary>
internal static class PropertyCases
{
    public const string Variable = "PROPERTY_CASES_PERCENT";

    private const int DefaultPercent = 10;
    private const int MaxPercent = 100_000;

    /// <summary>Returns the number of cases to generate.</summary>
    /// <param name="all">The number of cases at 100 percent.</param>
    /// <param name="atLeast">The minimum, for example for a test of a mean.</param>
    public static int Of(int all, int atLeast = 1) => Share(all, atLeast, Environment.GetEnvironmentVariable(Variable));

    /// <summary>Checks a property with generated values, and writes the number of executions to the output of the test.</summary>
    /// <param name="values">Generates the values.</param>
    /// <param name="property">Throws if the property does not hold.</param>
    /// <param name="all">The number of cases at 100 percent.</param>
    /// <param name="atLeast">The minimum number of cases.</param>
    public static void Check<T>(Gen<T> values, Action<T> property, int all, int atLeast = 1)
    {
        var executions = 0L;
        values.Sample(
            value =>
            {
                property(value);
                Interlocked.Increment(ref executions);
            },
            iter: Of(all, atLeast));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"executions: {executions}"));
    }

    internal static int Share(int all, int atLeast, string? percent)
    {
        var value = DefaultPercent;
        if (!string.IsNullOrEmpty(percent)
            && (!int.TryParse(percent, NumberStyles.None, CultureInfo.InvariantCulture, out value) || value is < 1 or > MaxPercent))
        {
            throw new InvalidOperationException($"{Variable} is \"{percent}\"; it must be a whole number from 1 to {MaxPercent}.");
        }

        return (int)Math.Clamp((long)all * value / 100, atLeast, int.MaxValue);
    }
}
