namespace LumaGateway.Bench.Machine;

/// <summary>
/// Who runs where. A server under test has core 0 for itself; load comes from core 1, where this process and, on a machine with two cores, the
/// upstream and Redis are too: the same for all contenders.
/// </summary>
internal static class Cores
{
    public const int Server = 0;
    public const int Load = 1;

    /// <summary>What the machine has, however this process is pinned.</summary>
    public static int Count { get; } = File.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal));

    public static int Origin => Count > 2 ? 2 : Load;

    /// <summary>A core of its own for each replica where there are enough, else the server's.</summary>
    public static int Replica(int index) => Count > 5 ? 3 + index : Server;

    public static string All => $"0-{Count - 1}";
}
