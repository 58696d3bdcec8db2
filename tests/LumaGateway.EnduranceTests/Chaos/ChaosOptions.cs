using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The options of a run, from the environment variables that <c>tests/endurance</c> sets. The defaults give a short run.</summary>
/// <param name="Seed">The seed of the planned faults.</param>
/// <param name="FirstRound">The number of the first round; above 0 to repeat a failure.</param>
/// <param name="Length">No new round starts after this time.</param>
/// <param name="RoundLength">How long faults are applied before the system must recover.</param>
/// <param name="History">The file for the history of all calls, one JSON object for each (<c>--history</c>); null for none.</param>
/// <param name="Violation">The violation to inject (<c>--violation</c>), to test the checkers; null for none.</param>
internal sealed record ChaosOptions(int Seed, int FirstRound, TimeSpan Length, TimeSpan RoundLength, string? History, string? Violation)
{
    private const int DefaultSeed = 7;

    /// <summary>The command that repeats the same faults.</summary>
    public string CommandLine => string.Create(
        CultureInfo.InvariantCulture, $"tests/endurance chaos --seed {Seed} --round {FirstRound} --minutes {Math.Max(1, Length.TotalMinutes):0} --round-seconds {RoundLength.TotalSeconds:0}");

    public static ChaosOptions FromEnvironment()
    {
        var minutes = Number("MINUTES");
        return new ChaosOptions(
            Number("SEED") ?? DefaultSeed,
            Number("ROUND") ?? 0,
            TimeSpan.FromMinutes(minutes ?? 0),
            TimeSpan.FromSeconds(Number("ROUND_SECONDS") ?? (minutes is null ? 22 : 45)),
            Text("HISTORY"),
            Text("VIOLATION"));
    }

    private static int? Number(string name) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static string? Text(string name) => Environment.GetEnvironmentVariable($"ENDURANCE_CHAOS_{name}") is { Length: > 0 } text ? text : null;
}
