using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Report;

namespace LumaGateway.Bench.Parts;

/// <summary>A million ids through a cache that holds a small part of them: memory must not follow.</summary>
internal sealed class MillionPart : IPart
{
    private const int Steps = 10;
    private const long MemoryBytes = 64 * 1024 * 1024;

    public string Name => "million";

    public string Title => "Many ids through a bounded cache";

    public async Task<string> RunAsync(Lab lab)
    {
        var step = lab.Plan.IsQuick ? 10_000 : 100_000;
        var gateway = await lab.GatewayAsync(new GatewaySettings { MemoryBytes = MemoryBytes });
        var rows = new List<string[]>();
        for (var done = 0L; done < Steps * step; done += step)
        {
            var run = await Wrk.FillAsync(gateway, "/generations/one-of-many-@id", done + 1, done + step);
            rows.Add([Number.In("#,0", done + step), Number.Mebibytes(gateway.Process.ResidentBytes), Number.Rounded(run.Rate)]);
            Console.WriteLine(string.Join("  ", rows[^1]));
        }

        return $"""
            `Cache:MemoryBytes` is {Number.Mebibytes(MemoryBytes)} MiB.

            {Markdown.Table(["ids so far", "resident, MiB", "misses a second"], rows)}
            """;
    }
}
