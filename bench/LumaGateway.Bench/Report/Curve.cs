using LumaGateway.Bench.Load;

namespace LumaGateway.Bench.Report;

/// <summary>The cost of a hit against something that grows: measured, as a table, as comma-separated values and drawn.</summary>
/// <param name="Name">Of its files in <c>docs/scaling</c>.</param>
/// <param name="Title">Above the drawing.</param>
/// <param name="Across">What grows.</param>
/// <param name="IsLogarithmic">Whether it grows by multiples.</param>
internal sealed record Curve(string Name, string Title, string Across, bool IsLogarithmic)
{
    private const string Up = "µs of a core for each hit, median and spread of the rounds";

    private readonly SortedDictionary<int, List<(double Micros, double Rate)>> _measured = [];

    public IReadOnlyList<Point> Points => [.. _measured.Select(one => new Point(one.Key, Spread.Of(one.Value.Select(each => each.Micros))))];

    private static string Folder => Path.Combine(Plan.Root, "docs", "scaling");

    /// <param name="x">How much there was of what grows.</param>
    /// <param name="run">What wrk saw.</param>
    /// <param name="processorMicros">What all servers together worked for it.</param>
    public void Add(int x, Run run, double processorMicros)
    {
        if (!_measured.TryGetValue(x, out var measured))
        {
            _measured[x] = measured = [];
        }

        measured.Add((processorMicros / run.Requests, run.Rate));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Name} {x}: {measured[^1].Micros:0.0} µs a hit, {run.Rate:0}/s"));
    }

    public string Table() => Markdown.Table(
        [Across, "µs of a core for each hit", "hits a second"],
        _measured.Select(one => (string[])
        [
            Number.In("#,0", one.Key),
            Spread.Of(one.Value.Select(each => each.Micros)).ToString("0.0"),
            Number.Rounded(Spread.Of(one.Value.Select(each => each.Rate)).Median),
        ]));

    public void Write()
    {
        Directory.CreateDirectory(Folder);
        var rows = _measured.SelectMany(one => one.Value.Select(each => string.Create(CultureInfo.InvariantCulture, $"{one.Key},{each.Micros:0.00},{each.Rate:0}\n")));
        File.WriteAllText(Path.Combine(Folder, $"{Name}.csv"), $"{Name},micros_per_hit,hits_per_second\n{string.Concat(rows)}");
        File.WriteAllText(Path.Combine(Folder, $"{Name}.svg"), Chart.Draw(Title, Across, Up, Points, IsLogarithmic));
    }
}
