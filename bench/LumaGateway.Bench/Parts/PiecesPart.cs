using System.Diagnostics;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Parts;

/// <summary>The pieces alone, with what they allocate: <c>tests/LumaGateway.Benchmarks</c>.</summary>
internal sealed class PiecesPart : IPart
{
    public string Name => "pieces";

    public string Title => "The pieces alone";

    public async Task<string> RunAsync(Lab lab)
    {
        var program = Path.Combine(Plan.Artifacts, "benchmarks", "LumaGateway.Benchmarks.dll");
        var reports = Directory.CreateDirectory(Path.Combine(Plan.Artifacts, "pieces"));
        foreach (var old in reports.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            old.Delete();
        }

        using var run = Process.Start("taskset", ["-c", $"{Cores.Server}", "dotnet", program, "--filter", "*", "--artifacts", reports.FullName]);
        await run.WaitForExitAsync();
        var files = reports.GetFiles("*-report-github.md", SearchOption.AllDirectories);
        return run.ExitCode == 0 && files.Length > 0
            ? string.Join('\n', files.OrderBy(file => file.Name, StringComparer.Ordinal).Select(TableIn))
            : throw new BenchException("The benchmarks of the pieces ended without a report.");
    }

    /// <summary>The table without what BenchmarkDotNet says of the machine.</summary>
    private static string TableIn(FileInfo report) => string.Concat(
        File.ReadLines(report.FullName).Where(line => line.StartsWith('|')).Select(line => line + "\n"));
}
