using System.Globalization;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>What <c>tests/endurance soak</c> sets; without it, the short run of every day.</summary>
/// <param name="Length">How long the load lasts.</param>
/// <param name="Rate">Reads a second over all replicas; everything else is in proportion.</param>
internal sealed record SoakOptions(TimeSpan Length, int Rate)
{
    public static SoakOptions FromEnvironment() => new(
        Number("MINUTES") is { } minutes ? TimeSpan.FromMinutes(minutes) : TimeSpan.FromSeconds(8), Number("RATE") ?? 60);

    private static int? Number(string name) =>
        Environment.GetEnvironmentVariable($"ENDURANCE_SOAK_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
