namespace LumaGateway.Tests.Support;

/// <summary>
/// Counts what code allocates on its own thread. For tests of <see cref="RunsAlone"/>: a listener of another test, to meters or spans, would
/// allocate on that thread too.
/// </summary>
internal static class Allocations
{
    /// <summary>The bytes that a round allocates once the runtime has compiled the framework's code for good: before that it boxes here and there.</summary>
    /// <returns>Zero from the first round that allocates nothing; else the least of all rounds within <see cref="Pump.Patience"/>.</returns>
    public static long LeastOf(Action round)
    {
        RunsAlone.Check();
        var begun = TimeProvider.System.GetTimestamp();
        var least = long.MaxValue;
        do
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        while (least > 0 && TimeProvider.System.GetElapsedTime(begun) < Pump.Patience);

        return least;
    }
}
