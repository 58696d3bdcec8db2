using System.Net;

namespace LumaGateway.Bench;

/// <summary>A server in a contest.</summary>
/// <param name="Name">In the tables.</param>
/// <param name="Command">In <c>bench/candidates/commands</c>.</param>
/// <param name="Length">Of the response body in bytes, if known.</param>
internal sealed record Contender(string Name, string Command, Load Load, string Settings = "", int? Length = null);

/// <summary>The contenders get the same load alternately, so that a disturbance of the machine affects all of them.</summary>
/// <param name="UpstreamRequests">Upstream requests for each request: 0 or 1. Another number invalidates the run.</param>
/// <param name="Fill">The last number that is requested from each contender first, to fill its cache.</param>
/// <param name="AddedTo">The contender to which the table of latencies compares.</param>
internal sealed record Contest(string Name, string Title, string Text, int UpstreamRequests, IReadOnlyList<Contender> Contenders, int Fill = 0, string? AddedTo = null)
{
    private const double Tolerance = 0.02; // requests in flight at the end of a run
    private static readonly int[] Levels = [1, 32, 256];
    private static readonly string[] LevelNames = ["1 connection", "32 connections", "256 connections"];

    /// <summary>Runs all rounds and returns the tables of the report.</summary>
    public async Task<string> RunAsync(Lab lab)
    {
        // With --before, each native gateway is followed by the other program with the same settings.
        var contenders = Contenders.SelectMany(one => one.Command == "gateway" && lab.Options.Before is not null
                ? [one, one with { Name = $"{one.Name}, before", Command = "gateway-before" }]
                : (Contender[])[one])
            .Where(contender => !lab.Options.Without.Contains(contender.Command)).ToList();
        var servers = new List<Server>();
        foreach (var contender in contenders)
        {
            servers.Add(await lab.StartAsync(contender.Command, contender.Settings));
            if (Fill > 0)
            {
                await Wrk.FillAsync(servers[^1], contender.Load.Path, 1, Fill);
            }

            await CheckAsync(servers[^1], contender.Load, contender.Length, isHit: UpstreamRequests == 0);
            await Wrk.RunAsync(servers[^1], contender.Load, connections: 32, (lab.Options.Seconds + 1) * (Lab.IsJit(contender.Command) && !lab.Options.IsQuick ? 10 : 1));
        }

        var memory = servers[0].MemoryMiB;
        var runs = contenders.Select(_ => Levels.Select(_ => new List<Run>()).ToArray()).ToArray();
        for (var round = 1; round <= lab.Options.Rounds; round++)
        {
            for (var level = 0; level < Levels.Length; level++)
            {
                for (var i = 0; i < contenders.Count; i++)
                {
                    var run = await MeasureAsync(lab, servers[i], contenders[i], Levels[level]);
                    runs[i][level].Add(run);
                    Report.Progress($"round {round}, {LevelNames[level]}: {run.Rate:0}/s {contenders[i].Name}");
                }
            }
        }

        // Each gateway of this repository is compared with each contender after it.
        var ratios = from ours in Enumerable.Range(0, contenders.Count)
                     where contenders[ours].Command.StartsWith("gateway", StringComparison.Ordinal)
                     from theirs in Enumerable.Range(ours + 1, contenders.Count - ours - 1)
                     select Row(
                         $"{contenders[ours].Name} ÷ {contenders[theirs].Name}",
                         level => $"{Spread.Of(runs[ours][level], runs[theirs][level], (one, other) => one.Rate / other.Rate).ToString("0.00")} · {Processor(runs[ours][level])} and {Processor(runs[theirs][level])} µs");
        var rates = contenders.Select((contender, i) => Row(contender.Name, level => Report.Rounded(Spread.Of(runs[i][level].Select(run => run.Rate)).Median)));
        var added = contenders.FindIndex(contender => contender.Name == AddedTo);
        var latencies = contenders.Select((contender, i) => (string[])
        [
            contender.Name,
            Spread.Of(runs[i][0].Select(run => run.P50Micros)).ToString("0"),
            added < 0 ? "" : Spread.Of(runs[i][0], runs[added][0], (one, other) => one.P50Micros - other.P50Micros).ToString("0"),
        ]);
        return $"""
            {Text}

            {(added < 0 ? "" : Report.Table(["one connection, median in µs", "latency", $"more than {AddedTo}"], latencies) + "\n")}{Report.Table(["ratio of requests a second · processor time a request", .. LevelNames], ratios)}
            {Report.Table(["requests a second", .. LevelNames], rates)}
            Memory of the {contenders[0].Name}: {memory:0} MiB resident after the warm-up, {servers[0].PeakMemoryMiB:0} MiB at the peak, with {runs[0].Sum(level => level.Sum(run => run.Requests)):#,0} measured requests.
            """;
    }

    /// <summary>Throws unless the server responds twice with 200, the right length and, if it sends Cache-Status, a hit the second time.</summary>
    public static async Task CheckAsync(Server server, Load load, int? length, bool isHit)
    {
        var (path, _, first, _, _) = load.Next();
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            using var response = await server.Http.GetAsync(new Uri(path.Replace("@id", $"{first}", StringComparison.Ordinal), UriKind.Relative));
            var body = await response.Content.ReadAsByteArrayAsync();
            var cacheStatus = response.Headers.TryGetValues("Cache-Status", out var values) ? values.Single() : "; hit";
            if (response.StatusCode is not HttpStatusCode.OK || body.Length == 0 || body.Length != (length ?? body.Length)
                || (attempt == 2 && isHit && !cacheStatus.Contains("; hit", StringComparison.Ordinal)))
            {
                throw new BenchException($"{server.Address}: status {(int)response.StatusCode}, {body.Length} bytes, Cache-Status '{cacheStatus}'.\n{server.Output}");
            }
        }
    }

    private static string Processor(IEnumerable<Run> runs) => Report.In("0.0", Spread.Of(runs.Select(run => run.ProcessorMicros)).Median);

    private static string[] Row(string name, Func<int, string> cell) => [name, .. Enumerable.Range(0, Levels.Length).Select(cell)];

    private async Task<Run> MeasureAsync(Lab lab, Server server, Contender contender, int connections)
    {
        var before = await lab.SettledUpstreamRequestsAsync();
        var processor = server.ProcessorMicros;
        var run = await Wrk.RunAsync(server, contender.Load, connections, lab.Options.Seconds);
        run = run with { ProcessorMicros = (server.ProcessorMicros - processor) / run.Requests };
        var upstream = (await lab.UpstreamRequestsAsync() - before) / (double)run.Requests;
        return Math.Abs(upstream - UpstreamRequests) <= Tolerance + (2 * (connections + 1.0) / run.Requests)
            ? run
            : throw new BenchException($"{contender.Name} sent {upstream:0.000} upstream requests for each request.");
    }
}
