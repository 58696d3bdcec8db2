using System.Diagnostics;
using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Report;

namespace LumaGateway.Bench.Parts;

/// <summary>What the gateway takes before and besides its work: time to start, memory, room on disk.</summary>
internal sealed class StartPart : IPart
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    public string Name => "start";

    public string Title => "Start and memory";

    public async Task<string> RunAsync(Lab lab)
    {
        await StartAsync(lab, $"{Cores.Server}"); // the first reads everything from the disk
        var one = new List<(double Live, double Read)>();
        var all = new List<(double Live, double Read)>();
        for (var round = 1; round <= lab.Plan.Rounds; round++)
        {
            one.Add(await StartAsync(lab, $"{Cores.Server}"));
            all.Add(await StartAsync(lab, Cores.All));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}: {one[^1].Live:0} ms on one core, {all[^1].Live:0} ms on all"));
        }

        var (few, many) = lab.Plan.IsQuick ? (10_000, 20_000) : (100_000, 200_000);
        var gateway = await lab.GatewayAsync(new GatewaySettings { MemoryBytes = 1024L * 1024 * 1024 });
        await AnsweredAsync(gateway, "/health/live");
        await Task.Delay(Settling, TimeProvider.System, CancellationToken.None);
        var idle = gateway.Process.ResidentBytes;
        await Answers.CheckAsync(new Contender("gateway", gateway, Asking.ForSample, AsksUpstream: false, lab.Slim.Length));
        await Wrk.RunAsync(gateway, Asking.ForSample(), connections: 256, lab.Plan.Seconds * 2);
        var loaded = gateway.Process.ResidentBytes;
        var withFew = await FilledAsync(gateway, 1, few);
        var withMany = await FilledAsync(gateway, few + 1, many);

        return $"""
            {Markdown.Table(
                ["from the start of the process, ms", "one core", "all cores"],
                [
                    ["first 200 of /health/live", Times(one, start => start.Live), Times(all, start => start.Live)],
                    ["first read answered, through the upstream", Times(one, start => start.Read), Times(all, start => start.Read)],
                ])}
            {Markdown.Table(
                ["on one core", "MiB"],
                [
                    ["resident, idle", Number.Mebibytes(idle)],
                    ["resident after hits on 256 connections", Number.Mebibytes(loaded)],
                    [$"resident with {few:#,0} answers kept", Number.Mebibytes(withFew)],
                    [$"resident with {many:#,0} answers kept", Number.Mebibytes(withMany)],
                    ["growth for each 1,000 of them", Number.In("0.00", (withMany - withFew) / 1024.0 / 1024.0 / (many - few) * 1000)],
                    ["published, on disk", Number.Mebibytes(PublishedBytes())],
                ])}
            """;
    }

    private static string Times(IEnumerable<(double Live, double Read)> starts, Func<(double Live, double Read), double> part) => Spread.Of(starts.Select(part)).ToString("0");

    /// <summary>Without the settings that the bench put there.</summary>
    private static long PublishedBytes() => new DirectoryInfo(GatewaySettings.NativeFolder)
        .EnumerateFiles("*", SearchOption.AllDirectories)
        .Where(file => !file.Name.StartsWith("appsettings.Bench", StringComparison.Ordinal))
        .Sum(file => file.Length);

    private static async Task<(double Live, double Read)> StartAsync(Lab lab, string cores)
    {
        var began = Stopwatch.GetTimestamp();
        var gateway = await lab.GatewayAsync(new GatewaySettings { Cores = cores });
        await AnsweredAsync(gateway, "/health/live");
        var live = Stopwatch.GetElapsedTime(began);
        await AnsweredAsync(gateway, $"/generations/{Lab.SampleId}");
        var read = Stopwatch.GetElapsedTime(began);
        await lab.StopAsync(gateway);
        return (live.TotalMilliseconds, read.TotalMilliseconds);
    }

    private static async Task AnsweredAsync(Server gateway, string path)
    {
        using var http = Answers.ClientOf(gateway);
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<long> FilledAsync(Server gateway, long first, long last)
    {
        await Wrk.FillAsync(gateway, "/generations/kept-@id", first, last);
        return gateway.Process.ResidentBytes;
    }
}
