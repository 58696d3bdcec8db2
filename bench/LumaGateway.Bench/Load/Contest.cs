using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Report;

namespace LumaGateway.Bench.Load;

/// <summary>One that takes part.</summary>
/// <param name="Name">As it stands in the tables.</param>
/// <param name="Server">Who answers.</param>
/// <param name="Ask">What is asked of it, made anew for every run.</param>
/// <param name="AsksUpstream">Whether each request must reach the upstream; else none may.</param>
/// <param name="Length">The length of every answer in bytes, where it is known.</param>
/// <param name="LearnsSlowly">Whether it needs tens of seconds under load until it is as fast as it gets.</param>
internal sealed record Contender(string Name, Server Server, Func<Asking> Ask, bool AsksUpstream, int? Length = null, bool LearnsSlowly = false);

/// <summary>Contenders taking turns, round by round, so that whatever the machine does meanwhile happens to all of them.</summary>
internal sealed class Contest(Lab lab, IReadOnlyList<Contender> contenders)
{
    private const int WarmUpConnections = 32;
    private const int SlowWarmUp = 10; // times as long
    private const double Tolerance = 0.02; // what was under way when a run was cut off

    private readonly Dictionary<(string Name, int Connections), List<Run>> _runs = [];

    /// <summary>Connections at the same time, as the tables' columns.</summary>
    public static IReadOnlyList<int> Levels { get; } = [1, 32, 256];

    public async Task RunAsync()
    {
        foreach (var contender in contenders)
        {
            await Answers.CheckAsync(contender);
            await Wrk.RunAsync(contender.Server, contender.Ask(), WarmUpConnections, (lab.Plan.Seconds + 1) * (contender.LearnsSlowly ? SlowWarmUp : 1));
        }

        for (var round = 1; round <= lab.Plan.Rounds; round++)
        {
            foreach (var level in Levels)
            {
                foreach (var contender in contenders)
                {
                    var run = await MeasureAsync(contender, level);
                    Of(contender.Name, level).Add(run);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}, {level,3} connections: {run.Rate,8:0}/s {contender.Name}"));
                }
            }
        }
    }

    /// <summary>Requests a second, medians.</summary>
    public string Rates(string unit = "requests", int rounding = 100) => Markdown.Table(
        [$"{unit} a second", .. Levels.Select(Heading)],
        contenders.Select(one => (string[])[one.Name, .. Levels.Select(level => Number.Rounded(Spread.Of(Of(one.Name, level).Select(run => run.Rate)).Median, rounding))]));

    /// <summary>What the first of each pair reached as a multiple of the second, round by round: the median (least–most).</summary>
    public string Ratios(params IReadOnlyList<(string Ours, string Theirs)> pairs) => Markdown.Table(
        ["ratio", .. Levels.Select(Heading)],
        pairs.Select(pair => (string[])
        [
            $"{pair.Ours} ÷ {pair.Theirs}",
            .. Levels.Select(level => Spread.Of(Of(pair.Ours, level).Zip(Of(pair.Theirs, level), (ours, theirs) => ours.Rate / theirs.Rate)).ToString("0.00")),
        ]));

    /// <summary>Median latencies on one connection, in µs, and what each adds to the base.</summary>
    public string Added(string to) => Markdown.Table(
        ["one connection, median in µs", "latency", $"more than {to}"],
        contenders.Select(one => (string[])
        [
            one.Name,
            Spread.Of(Of(one.Name, 1).Select(run => run.P50Micros)).ToString("0"),
            one.Name == to ? "" : Spread.Of(Of(one.Name, 1).Zip(Of(to, 1), (ours, theirs) => ours.P50Micros - theirs.P50Micros)).ToString("0"),
        ]));

    private static string Heading(int connections) => connections == 1 ? "1 connection" : $"{connections} connections";

    private List<Run> Of(string name, int connections)
    {
        if (!_runs.TryGetValue((name, connections), out var runs))
        {
            _runs[(name, connections)] = runs = [];
        }

        return runs;
    }

    private async Task<Run> MeasureAsync(Contender contender, int connections)
    {
        var before = await lab.Origin.CountAsync();
        var run = await Wrk.RunAsync(contender.Server, contender.Ask(), connections, lab.Plan.Seconds);
        var asked = (await lab.Origin.CountAsync() - before) / (double)run.Requests;
        var slack = Tolerance + (2 * (connections + 1.0) / run.Requests);
        return Math.Abs(asked - (contender.AsksUpstream ? 1 : 0)) <= slack
            ? run
            : throw new BenchException($"{contender.Name} asked the upstream {asked:0.000} times a request.");
    }
}
