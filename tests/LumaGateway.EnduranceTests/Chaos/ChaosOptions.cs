using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What a run is told, by the variables that <c>tests/endurance</c> sets; without them, the short run of every day.</summary>
/// <param name="Seed">From which the faults come.</param>
/// <param name="FirstRound">0, unless a failure is looked for again.</param>
/// <param name="Length">After which no new round begins.</param>
/// <param name="RoundLength">For how long faults are thrown before all must be well again.</param>
/// <param name="Lie">What is to be wrong on purpose, to see the checkers find it; null for nothing.</param>
internal sealed record ChaosOptions(int Seed, int FirstRound, TimeSpan Length, TimeSpan RoundLength, string? Lie)
{
    private const int SeedOfEveryDay = 7;

    /// <summary>To have the same faults again.</summary>
    public string CommandLine => string.Create(
        CultureInfo.InvariantCulture, $"tests/endurance chaos --seed {Seed} --round {FirstRound} --minutes {Math.Max(1, Length.TotalMinutes):0} --round-seconds {RoundLength.TotalSeconds:0}");

    public static ChaosOptions FromEnvironment()
    {
        var minutes = Number("MINUTES");
        return new ChaosOptions(
            Number("SEED") ?? SeedOfEveryDay,
            Number("ROUND") ?? 0,
            TimeSpan.FromMinutes(minutes ?? 0),
            TimeSpan.FromSeconds(Number("ROUND_SECONDS") ?? (minutes is null ? 22 : 45)),
            Text("LIE"));
    }

    private static int? Number(string name) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static string? Text(string name) => Environment.GetEnvironmentVariable($"ENDURANCE_CHAOS_{name}") is { Length: > 0 } text ? text : null;
}
