using System.Globalization;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>A figure with its goal. A missed goal is printed and not asserted, because the machine may be loaded.</summary>
internal static class Goal
{
    /// <summary>Such as <c>12 ms (goal 2000 ms)</c>.</summary>
    public static string Of(TimeSpan figure, TimeSpan goal) => string.Create(
        CultureInfo.InvariantCulture, $"{figure.TotalMilliseconds:0} ms (goal {goal.TotalMilliseconds:0} ms{(figure > goal ? ", MISSED" : "")})");

    /// <summary>Such as <c>0.5 upstream requests a second (goal 1.0)</c>.</summary>
    public static string Of(double figure, double goal, string unit) => string.Create(
        CultureInfo.InvariantCulture, $"{figure:0.0} {unit} (goal {goal:0.0}{(figure > goal ? ", MISSED" : "")})");
}
