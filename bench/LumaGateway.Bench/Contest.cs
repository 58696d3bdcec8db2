using System.Net;
using System.Text;

namespace LumaGateway.Bench;

/// <summary>A server in a contest.</summary>
/// <param name="Command">In <c>bench/candidates/commands</c>.</param>
/// <param name="Settings">For <c>@settings@</c> in the command.</param>
/// <param name="Program">Of the gateway; null for other servers.</param>
internal sealed record Contender(string Command, Load Load, string Settings = "", GatewayProgram? Program = null)
{
    public string Name => Program?.Name ?? Command;

    /// <summary>Repeats the gateway for each of its programs.</summary>
    public static List<Contender> Of(IEnumerable<Contender> all, BenchOptions options) =>
        [.. all.SelectMany(one => one.Command == "gateway" ? options.Programs.Select(program => one with { Program = program }) : [one])];
}

/// <summary>The contenders get the same load alternately, so that a disturbance of the machine affects all of them.</summary>
/// <param name="UpstreamRequests">Upstream requests for each request: 0 or 1. Another number invalidates the run.</param>
internal sealed record Contest(int UpstreamRequests, IReadOnlyList<Contender> All)
{
    private const double Tolerance = 0.02; // requests in flight at the end of a run
    private static readonly int[] Levels = [32, 256];

    /// <summary>Runs all rounds and returns the tables of the report.</summary>
    public async Task<string> RunAsync(Lab lab)
    {
        var contenders = Contender.Of(All, lab.Options);
        var servers = new List<Server>();
        foreach (var contender in contenders)
        {
            servers.Add(await StartWarmAsync(lab, contender, isHit: UpstreamRequests == 0));
        }

        var runs = contenders.Select(_ => Levels.Select(_ => new List<Run>()).ToArray()).ToArray();
        for (var round = 1; round <= lab.Options.Rounds; round++)
        {
            for (var level = 0; level < Levels.Length; level++)
            {
                foreach (var i in OrderOf(round, contenders.Count))
                {
                    var run = await MeasureAsync(lab, servers[i], contenders[i], Levels[level]);
                    runs[i][level].Add(run);
                    Report.Progress($"round {round}, {Levels[level]} connections: {run.Rate:0}/s, {run.ProcessorMicros:0.0} µs {contenders[i].Name}");
                }
            }
        }

        // Each program of the gateway is compared with each contender after it.
        var ratios = from ours in Enumerable.Range(0, contenders.Count)
                     where contenders[ours].Program is not null
                     from theirs in Enumerable.Range(ours + 1, contenders.Count - ours - 1)
                     select (string[])[$"{contenders[ours].Name} ÷ {contenders[theirs].Name}", .. runs[ours].Zip(runs[theirs]).SelectMany(pair => Compare(pair.First, pair.Second))];
        var values = contenders.Select((contender, i) => (string[])[contender.Name, .. runs[i].SelectMany(Describe)]);
        var columns = Levels.SelectMany(level => (string[])[$"{level} connections: requests a second", "µs of a core a request"]);
        return $"{Report.Table(["ratio", .. columns], ratios)}\n{Report.Table(["median", .. columns], values)}";
    }

    /// <summary>Starts a server, fills its cache if it must have hits for many ids, checks its responses and warms it up.</summary>
    public static async Task<Server> StartWarmAsync(Lab lab, Contender contender, bool isHit)
    {
        var server = await lab.StartAsync(contender.Command, contender.Settings, contender.Program);
        if (contender.Load.Order == "cycle")
        {
            await Wrk.FillAsync(server, contender.Load.Path, contender.Load.First, contender.Load.Last);
        }

        await CheckAsync(server, contender.Load, isHit);
        var isJit = contender.Program is null && Lab.Commands[contender.Command].Contains("dotnet ", StringComparison.Ordinal);
        await Wrk.RunAsync(server, contender.Load, connections: 32, (lab.Options.Seconds + 1) * (isJit && !lab.Options.IsQuick ? 10 : 1)); // the JIT needs half a minute
        return server;
    }

    /// <summary>Throws unless the server responds twice with 200, the right body and, if it sends Cache-Status, a hit the second time.</summary>
    public static async Task CheckAsync(Server server, Load load, bool isHit)
    {
        var (path, _, id, _, _) = load.Next();
        path = path.Replace("@id", $"{id}", StringComparison.Ordinal);
        var expected = path.StartsWith("/luma/", StringComparison.Ordinal) ? Lab.Relay : Encoding.UTF8.GetString(Lab.Slim);
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            using var response = await server.Http.GetAsync(new Uri(path, UriKind.Relative));
            var body = await response.Content.ReadAsStringAsync();
            var cacheStatus = response.Headers.TryGetValues("Cache-Status", out var values) ? values.Single() : "; hit";
            if (response.StatusCode is not HttpStatusCode.OK || body != expected.Replace(Lab.SampleId, path.Split('/')[^1], StringComparison.Ordinal)
                || (attempt == 2 && isHit && !cacheStatus.Contains("; hit", StringComparison.Ordinal)))
            {
                throw new BenchException($"{server.Address}{path}: status {(int)response.StatusCode}, Cache-Status '{cacheStatus}', body '{body}'.\n{server.Output}");
            }
        }
    }

    /// <summary>
    /// The order of a round. The first server changes from round to round, and every second round runs backwards, so that no server always follows the same one: a program
    /// has served 1.11 times the requests of the same program behind it.
    /// </summary>
    private static IEnumerable<int> OrderOf(int round, int count) => Enumerable.Range(0, count).Select(turn => (round + (round % 2 == 0 ? turn : count - turn)) % count);

    private static string[] Compare(List<Run> ours, List<Run> theirs) =>
    [
        Spread.Of(ours.Zip(theirs, (one, other) => one.Rate / other.Rate)).ToString("0.00"),
        Spread.Of(ours.Zip(theirs, (one, other) => one.ProcessorMicros / other.ProcessorMicros)).ToString("0.00"),
    ];

    private static string[] Describe(List<Run> runs) => [Report.Rounded(Spread.Of(runs.Select(run => run.Rate)).Median), Spread.Of(runs.Select(run => run.ProcessorMicros)).ToString("0.0")];

    private async Task<Run> MeasureAsync(Lab lab, Server server, Contender contender, int connections)
    {
        var before = await lab.UpstreamRequestsAsync();
        var run = await Wrk.RunAsync(server, contender.Load, connections, lab.Options.Seconds);
        var upstream = (await lab.UpstreamRequestsAsync() - before) / (double)run.Requests;
        return Math.Abs(upstream - UpstreamRequests) <= Tolerance + (2 * (connections + 10.0) / run.Requests)
            ? run
            : throw new BenchException($"{contender.Name} sent {upstream:0.000} upstream requests for each request.");
    }
}
