using System.Globalization;

namespace LumaGateway.Tests.Simulation;

/// <summary>Runs many seeds, with one thread for each processor. They are not of the thread pool, which runs some of their continuations.</summary>
internal static class SeedRange
{
    public const string CountVariable = "SIMULATION_SEEDS";
    public const string FirstVariable = "SIMULATION_SEED";

    /// <summary>The seeds of this run: by default 200, in CI 2,000.</summary>
    public static (int First, int Count) FromEnvironment() =>
        (Number(FirstVariable, 0), Number(CountVariable, Environment.GetEnvironmentVariable("CI") == "true" ? 2000 : 200));

    /// <summary>Returns the first seed whose run violates a property, or the given one; null if there is none.</summary>
    public static int? FirstFailure(int first, int count, PlantedBug bug, Property? property = null) =>
        FirstFailure(first, count, seed => Simulation.Run(Schedule.Of(seed), bug).Violations.Exists(violation => property is null || violation.Property == property));

    /// <summary>Runs a check for each seed. Throws with the exception of the first one that fails.</summary>
    public static void ForEach(int first, int count, Action<int> check) => FirstFailure(first, count, seed =>
    {
        check(seed);
        return false;
    });

    private static int? FirstFailure(int first, int count, Predicate<int> fails)
    {
        var (next, failed, fault) = (first - 1, int.MaxValue, default(Exception));
        var gate = new Lock();
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(RunSeeds)).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        return fault is not null ? throw fault : failed < int.MaxValue ? failed : null;

        void RunSeeds()
        {
            for (var seed = Interlocked.Increment(ref next); seed < first + count && seed < Volatile.Read(ref failed); seed = Interlocked.Increment(ref next))
            {
                try
                {
                    if (fails(seed))
                    {
                        Stop(seed, null);
                    }
                }
#pragma warning disable CA1031 // it is thrown again on the caller's thread
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    Stop(seed, new InvalidOperationException($"Seed {seed} failed: {exception.Message}", exception));
                }
            }
        }

        void Stop(int seed, Exception? exception)
        {
            lock (gate)
            {
                (failed, fault) = seed < failed ? (seed, exception) : (failed, fault);
            }
        }
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : otherwise;
}
