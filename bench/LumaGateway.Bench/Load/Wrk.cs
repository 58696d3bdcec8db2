using System.Diagnostics;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Load;

/// <summary>What one run of wrk saw.</summary>
/// <param name="Requests">Answered with a 2xx or 3xx, all of them.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="P50Micros">Median latency in a closed loop, in µs.</param>
internal sealed record Run(long Requests, double Seconds, double P50Micros)
{
    public double Rate => Requests / Seconds;
}

/// <summary>wrk on the load's core, with one thread.</summary>
internal static class Wrk
{
    private const int FillingConnections = 32;
    private const int Hour = 3600;

    /// <summary>Asks for each of these once, or a few times more: then a cache holds them. Throws where an answer was an error.</summary>
    public static async Task<Run> FillAsync(Server server, string path, long first, long last)
    {
        var began = Stopwatch.GetTimestamp();
        var run = await RunAsync(server, new Asking(path, Order.Fill, first, last), FillingConnections, Hour);
        return run with { Seconds = Stopwatch.GetElapsedTime(began).TotalSeconds };
    }

    /// <summary>Asks for so many seconds. Throws where an answer was an error.</summary>
    public static async Task<Run> RunAsync(Server server, Asking asking, int connections, int seconds)
    {
        var start = new ProcessStartInfo(
            "taskset",
            [
                "-c", $"{Cores.Load}", "wrk", "-t", "1", "-c", $"{connections}", "-d", $"{seconds}", "--timeout", "10s",
                "-H", asking.Clients > 0 ? "X-Api-Key: key-@key" : "X-Api-Key: key-0", "-s", Path.Combine(Plan.Root, "bench/wrk.lua"),
                new Uri(server.Address, asking.Path).ToString(), "--",
                $"{asking.First}", $"{asking.Last}", $"{asking.Order}".ToLowerInvariant(), $"{asking.Clients}",
            ])
        {
            RedirectStandardOutput = true,
        };
        using var wrk = Process.Start(start)!;
        var output = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();

        var line = output.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal));
        if (line is null)
        {
            throw new BenchException($"wrk against {server.Name} gave no result.\n{output}");
        }

        var numbers = line.Split(' ').Skip(1).Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToList();
        return numbers is [> 0 and var requests, var micros, 0, 0, var p50]
            ? new Run(requests, micros / 1e6, p50)
            : throw new BenchException($"{server.Name} failed under load.\n{output}\n{server.Process.Output}");
    }
}
