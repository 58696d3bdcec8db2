namespace LumaGateway.Tests.Support;

/// <summary>
/// Counts allocations on the current thread. Only for tests of <see cref="RunsAlone"/>, because a meter or span listener of another test would allocate on this
/// thread too.
/// </summary>
internal static class Allocations
{
    /// <summary>Returns the bytes that the action allocates after the JIT has optimized the code.</summary>
    /// <returns>Zero after the first run without allocations; else the minimum of all runs within <see cref="Poll.Timeout"/>.</returns>
    public static long MinimumOf(Action action)
    {
        RunsAlone.Check();
        var start = TimeProvider.System.GetTimestamp();
        var minimum = long.MaxValue;
        do
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            action();
            minimum = Math.Min(minimum, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        while (minimum > 0 && TimeProvider.System.GetElapsedTime(start) < Poll.Timeout);

        return minimum;
    }
}
