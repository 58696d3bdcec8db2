using System.Globalization;
using LumaGateway.EnduranceTests.Chaos;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>The resource use of one replica at one time, from /proc and its metrics.</summary>
/// <param name="At">The time since the start of the load.</param>
/// <param name="Resident">Memory of the process, bytes.</param>
/// <param name="Heap">Managed heap after the last collection, bytes.</param>
/// <param name="Handles">Open file descriptors.</param>
/// <param name="Sockets">The file descriptors that are sockets.</param>
/// <param name="Threads">The number of threads.</param>
/// <param name="Waiters">Callers with a long poll or an event stream.</param>
internal sealed record ResourceSample(TimeSpan At, double Resident, double Heap, double Handles, double Sockets, double Threads, double Waiters)
{
    private const double Mebibyte = 1024 * 1024;

    /// <summary>The measures that must not grow: name, value, allowed relative growth, and an absolute growth that is ignored.</summary>
    public static readonly IReadOnlyList<(string Name, Func<ResourceSample, double> Value, double Share, double Noise)> Measures =
    [
        ("memory", sample => sample.Resident, 0.10, 16 * Mebibyte),
        ("managed heap", sample => sample.Heap, 0.15, 8 * Mebibyte),
        ("handles", sample => sample.Handles, 0.10, 20),
        ("connections", sample => sample.Sockets, 0.10, 20),
        ("threads", sample => sample.Threads, 0.10, 5),
        ("waiters", sample => sample.Waiters, 0.25, 20),
    ];

    public static async Task<ResourceSample> OfAsync(Replica replica, TimeSpan at, HttpClient scraper)
    {
        var process = $"/proc/{replica.Gateway.Process.Id}";
        var status = await File.ReadAllLinesAsync($"{process}/status", TestContext.Current.CancellationToken);
        var handles = Directory.GetFiles($"{process}/fd");
        var metrics = await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/metrics"), TestContext.Current.CancellationToken);
        return new ResourceSample(
            at,
            StatusOf("VmRSS:") * 1024,
            SumOf("dotnet_gc_last_collection_heap_size_bytes"),
            handles.Length,
            handles.Count(handle => TargetOf(handle).StartsWith("socket:", StringComparison.Ordinal)),
            StatusOf("Threads:"),
            SumOf("luma_gateway_waiting_waiters"));

        double StatusOf(string name) => Number(status.Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1]);

        double SumOf(string name) => metrics.Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
            .Sum(line => Number(line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var value, ..] && line.Contains('}', StringComparison.Ordinal) ? value : line.Split(' ')[1]));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{At.TotalMinutes,5:0.0} min: {Resident / Mebibyte,6:0.0} MiB resident, {Heap / Mebibyte,5:0.0} MiB managed, {Handles} handles, {Sockets} of them sockets, {Threads} threads, {Waiters} waiters");

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string TargetOf(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return ""; // the descriptor was closed in the meantime
        }
    }
}
