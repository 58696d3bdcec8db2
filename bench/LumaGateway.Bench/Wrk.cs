using System.Diagnostics;

namespace LumaGateway.Bench;

/// <summary>The requests of a run.</summary>
/// <param name="Path"><c>@id</c> stands for a number.</param>
/// <param name="Order">The order of the numbers, as <c>bench/wrk.lua</c> defines it; <c>new</c> counts up and no two runs send the same number.</param>
/// <param name="Clients">If above 0, each request has the key of a random client of this many; otherwise the key of client 0. Not together with numbers.</param>
internal sealed record Load(string Path, string Order = "one", long First = 1, long Last = 1, int Clients = 0)
{
    private const long RangeSize = 100_000_000; // more than a run can send

    private static long _ranges;

    public Load Next() => Order == "new" ? this with { Order = "cycle", First = ++_ranges * RangeSize, Last = ((_ranges + 1) * RangeSize) - 1 } : this;
}

/// <summary>The result of one run of wrk: all responses were a 200.</summary>
/// <param name="ProcessorMicros">Processor time of the server for each request.</param>
internal sealed record Run(double Requests, double Rate, double ProcessorMicros);

/// <summary>wrk with one thread on core 1. It is a closed loop: each connection sends its next request after the response.</summary>
internal static class Wrk
{
    /// <summary>Requests every number of the range at least once, to fill a cache.</summary>
    public static Task FillAsync(Server server, string path, long first, long last) => RunAsync(server, new Load(path, "fill", first, last), connections: 32, seconds: 3600);

    /// <summary>Throws if a request fails.</summary>
    public static async Task<Run> RunAsync(Server server, Load load, int connections, int seconds)
    {
        var (path, order, first, last, clients) = load.Next();
        string[] command =
        [
            "-c", "1", "wrk", "-t", "1", "-c", $"{connections}", "-d", $"{seconds}", "--timeout", "10s", "-s", "bench/wrk.lua",
            "-H", clients > 0 ? "X-Api-Key: key-@key" : "X-Api-Key: key-0", new Uri(server.Address, path).ToString(), "--", $"{first}", $"{last}", order, $"{clients}",
        ];
        var processor = server.ProcessorMicros;
        using var wrk = Process.Start(new ProcessStartInfo("taskset", command) { RedirectStandardOutput = true })!;
        var output = await wrk.StandardOutput.ReadToEndAsync();
        processor = server.ProcessorMicros - processor;
        await wrk.WaitForExitAsync();
        var result = output.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal)) ?? "";
        return result.Split(' ').Skip(1).Select(double.Parse).ToList() is [> 0 and var requests, var micros, 0, 0]
            ? new Run(requests, requests / micros * 1e6, processor / requests)
            : throw new BenchException($"wrk failed: {string.Join(' ', command)}\n{output}\n{server.Output}");
    }
}
