using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace LumaGateway.Bench;

/// <summary>Median, minimum and maximum of several measurements.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new Spread((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }

    /// <summary>Compares two contenders round by round.</summary>
    public static Spread Of<T>(IEnumerable<T> ours, IEnumerable<T> theirs, Func<T, T, double> compare) => Of(ours.Zip(theirs, compare));

    public string ToString(string format) => $"{Report.In(format, Median)} ({Report.In(format, Least)}–{Report.In(format, Most)})";
}

/// <summary>Writes <c>bench/RESULTS.md</c>: each part replaces its own section and the table of the machine.</summary>
internal static class Report
{
    private const string Page = "bench/RESULTS.md";

    public static void Progress(FormattableString line) => Console.WriteLine(FormattableString.Invariant(line));

    public static string In(string format, double value) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Rounds to three significant digits.</summary>
    public static string Rounded(double value)
    {
        var unit = Math.Pow(10, Math.Max(0, Math.Floor(Math.Log10(Math.Max(value, 1))) - 2));
        return In("#,0", Math.Round(value / unit) * unit);
    }

    public static string Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows) => string.Concat(
        rows.Prepend([.. header.Select((_, column) => column == 0 ? "---" : "---:")]).Prepend(header).Select(row => $"| {string.Join(" | ", row)} |\n"));

    /// <summary>Prints the section. Writes it too, unless the run is a quick one.</summary>
    public static void Write(BenchOptions options, Part part, string text)
    {
        var now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        var changed = FirstLineOf("git", "status", "--porcelain", "--untracked-files=no", "src", "Directory.Packages.props").Length > 0 ? " with changes" : "";
        var without = string.Concat(options.Without.Select(name => $", without {name}"));
        var section = $"""
            ## {part.Title}

            {now} UTC, commit {FirstLineOf("git", "rev-parse", "--short", "HEAD")}{changed}, {options.Rounds} rounds of {options.Seconds} s{without}

            {text.TrimEnd()}


            """;
        Console.WriteLine($"\n{section}");
        if (options.IsQuick)
        {
            return;
        }

        var sections = Regex.Split(File.ReadAllText(Page), "^(?=## )", RegexOptions.Multiline).Skip(1).Select(old => old.TrimEnd() + "\n\n").ToList();
        var index = sections.FindIndex(old => old.StartsWith($"## {part.Title}\n", StringComparison.Ordinal));
        sections.Insert(index < 0 ? sections.Count : index, section);
        sections.RemoveAll(old => old.StartsWith($"## {part.Title}\n", StringComparison.Ordinal) && old != section);
        File.WriteAllText(Page, $"""
            # Results

            Figures are written by `bench/run`; [README.md](README.md) describes the parts and the method. Ratios are medians of the rounds' own ratios, with the
            least and the most in brackets; above 1 the first one is faster. A section names the commit that was measured.

            {Table(["", "machine"], Machine())}
            {string.Concat(sections).TrimEnd()}

            """);
    }

    private static IEnumerable<string[]> Machine() =>
    [
        ["processor", $"{File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(": ")[1]}, {Lab.Cores} cores"],
        ["memory", File.ReadLines("/proc/meminfo").First().Split(':')[1].Trim()],
        ["system", RuntimeInformation.OSDescription],
        [".NET", $"{Environment.Version}, published by SDK {FirstLineOf("dotnet", "--version")}"],
        .. from tool in (string[][])[["nginx", "-v"], ["haproxy", "-v"], ["varnishd", "-V"], ["redis-server", "--version"], ["wrk", "-v"]]
           select (string[])[tool[0], FirstLineOf(tool[0], tool[1])],
    ];

    /// <summary>The first line that a program prints; env's error if the program is not installed.</summary>
    private static string FirstLineOf(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo("env", command) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n')[0].Trim();
    }
}
