namespace LumaGateway.Tests.Simulation;

/// <summary>Removes operations from a failing schedule while it still fails.</summary>
internal static class Shrinker
{
    /// <summary>The shrunk schedule of a failing one, with its violations and its trace.</summary>
    public static string Describe(Schedule schedule, PlantedBug bug)
    {
        var shrunk = Shrink(schedule, bug);
        var run = Simulation.Run(shrunk, bug, isTraced: true);
        return $"{shrunk}\nViolations:\n  {string.Join("\n  ", run.Violations)}\nTrace:\n{string.Join('\n', run.Trace)}";
    }

    public static Schedule Shrink(Schedule schedule, PlantedBug bug)
    {
        for (var index = 0; index < schedule.Operations.Count;)
        {
            var smaller = schedule with { Operations = [.. schedule.Operations.Where((_, other) => other != index)] };
            if (Simulation.Run(smaller, bug).Violations.Count > 0)
            {
                schedule = smaller;
            }
            else
            {
                index++;
            }
        }

        return schedule;
    }
}
