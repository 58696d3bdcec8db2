using System.Diagnostics;
using System.Runtime.InteropServices;
using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Parts;

namespace LumaGateway.Bench.Report;

/// <summary>
/// <c>bench/RESULTS.md</c>, made of what each part found when it last ran here: parts can be run one by one. Each says when that was and of which commit.
/// </summary>
internal static class ResultsPage
{
    private static string File { get; } = Path.Combine(Plan.Root, "bench", "RESULTS.md");

    /// <summary>Keeps what a part found.</summary>
    public static void Keep(Plan plan, IPart part, string found)
    {
        var kind = plan.IsQuick ? "**quick, for trying the bench only**; " : "";
        var now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        var changed = Said("git", "status", "--porcelain", "--untracked-files=no", "src", "Directory.Packages.props").Length > 0 ? " with changes" : "";
        System.IO.File.WriteAllText(PathOf(part), $"""
            ## {part.Title}

            {kind}{now} UTC, commit {Said("git", "rev-parse", "--short", "HEAD")}{changed}, {plan.Rounds} rounds of {plan.Seconds} s

            {found.TrimEnd()}

            """);
    }

    /// <summary>Puts the page together.</summary>
    public static void Write(Plan plan, IEnumerable<IPart> parts)
    {
        var sections = parts.Where(part => System.IO.File.Exists(PathOf(part))).Select(part => System.IO.File.ReadAllText(PathOf(part)));
        System.IO.File.WriteAllText(File, $"""
            # Results

            Written by `bench/run`; nothing here is typed by hand. `bench/README.md` says what is measured and how. Ratios are medians of the rounds'
            own ratios, with the least and the most in brackets; above 1 the first named is faster.

            {Markdown.Table(["", "machine"], Machine())}
            {string.Join('\n', sections)}
            """);
        Console.WriteLine($"\nWritten: {File}");
    }

    private static string PathOf(IPart part) => Path.Combine(Plan.Artifacts, $"{part.Name}.md");

    private static IEnumerable<string[]> Machine() =>
    [
        ["processor", System.IO.File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(": ")[1] + $", {Cores.Count} cores"],
        ["memory", System.IO.File.ReadLines("/proc/meminfo").First().Split(':')[1].Trim()],
        ["system", RuntimeInformation.OSDescription],
        [".NET", $"{Environment.Version}, published by SDK {Said("dotnet", "--version")}"],
        ["nginx", Said("nginx", "-v")],
        ["HAProxy", Said("haproxy", "-v")],
        ["Varnish", Said("varnishd", "-V")],
        ["Redis", Said("redis-server", "--version")],
        ["wrk", Said("wrk", "-v")],
    ];

    /// <summary>The first line that a program says, on either stream.</summary>
    private static string Said(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return output.Split('\n')[0].Trim();
    }
}
