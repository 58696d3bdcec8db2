using System.Globalization;

namespace LumaGateway.Tests.Simulation;

/// <summary>Runs many seeds on all processors.</summary>
internal static class SeedRange
{
    public const string CountVariable = "SIMULATION_SEEDS";
    public const string FirstVariable = "SIMULATION_SEED";

    /// <summary>The seeds of this run: by default 200, in CI 2,000.</summary>
    public static (int First, int Count) FromEnvironment() =>
        (Number(FirstVariable, 0), Number(CountVariable, Environment.GetEnvironmentVariable("CI") == "true" ? 2000 : 200));

    /// <summary>Returns the first seed whose run violates the protocol; null if there is none.</summary>
    public static int? FirstFailure(int first, int count, PlantedBug bug)
    {
        var failed = Parallel.For(first, first + count, (seed, state) =>
        {
            if (Simulation.Run(Schedule.Of(seed), bug).Faults.Count > 0)
            {
                state.Break();
            }
        });
        return (int?)failed.LowestBreakIteration;
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : otherwise;
}
