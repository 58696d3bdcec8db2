using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace LumaGateway.Tests.Simulation;

/// <summary>Makes the numbers of Random.Shared on this thread those of a seed. It has one state for each thread, which is set by reflection.</summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal static class SharedRandom
{
    private static readonly FieldInfo OfThread = typeof(Random).GetNestedType("ThreadSafeRandom", BindingFlags.NonPublic)!.GetField("t_random", BindingFlags.Static | BindingFlags.NonPublic)!;

    public static void Seed(int seed)
    {
        Random.Shared.Next(); // creates the state
        var state = OfThread.GetValue(null)!;
        var numbers = new Random(seed);
        foreach (var name in new[] { "_s0", "_s1", "_s2", "_s3" })
        {
            state.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!.SetValue(state, (ulong)numbers.NextInt64(1, long.MaxValue));
        }
    }
}
