using System.Globalization;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>The options of a run, from the environment variables that <c>tests/endurance soak</c> sets. The defaults give a short run.</summary>
/// <param name="Length">The duration of the load.</param>
/// <param name="Rate">Reads a second over all replicas. The other loads are in proportion.</param>
internal sealed record SoakOptions(TimeSpan Length, int Rate)
{
    public static SoakOptions FromEnvironment() => new(
        Number("MINUTES") is { } minutes ? TimeSpan.FromMinutes(minutes) : TimeSpan.FromSeconds(8), Number("RATE") ?? 60);

    private static int? Number(string name) =>
        Environment.GetEnvironmentVariable($"ENDURANCE_SOAK_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
