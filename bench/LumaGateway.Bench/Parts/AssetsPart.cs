using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Report;

namespace LumaGateway.Bench.Parts;

/// <summary>A video's file through the gateway, beside a proxy that does nothing else; and what memory many bytes cost.</summary>
internal sealed class AssetsPart : IPart
{
    private const int Connections = 32;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    public string Name => "assets";

    public string Title => "Files, streamed";

    public async Task<string> RunAsync(Lab lab)
    {
        var gateway = await lab.GatewayAsync();
        var contest = new Contest(
            lab,
            [
                new Contender("gateway", gateway, Film, AsksUpstream: true, Lab.FilmBytes),
                new Contender("nginx", await lab.NginxAsync(), Film, AsksUpstream: true, Lab.FilmBytes),
            ]);
        await contest.RunAsync();

        var total = lab.Plan.IsQuick ? 1024L : 10 * 1024;
        var (streamed, before, highest) = await StreamAsync(gateway, total * 1024 * 1024, lab.Plan.Seconds);

        return $"""
            A file of {Number.Mebibytes(Lab.FilmBytes)} MiB, so that a request is a MiB. The load, which reads them, and the CDN share a core.

            {contest.Ratios(("gateway", "nginx"))}
            {contest.Rates("MiB", rounding: 10)}
            Then {Number.In("0.0", streamed / 1024.0 / 1024 / 1024)} GiB over {Connections} connections: {Number.Mebibytes(before)} MiB resident before, {Number.Mebibytes(highest)} MiB at most.
            """;
    }

    private static Asking Film() => new($"/generations/{Lab.FilmId}/video");

    private static async Task<(long Streamed, long Before, long Highest)> StreamAsync(Server gateway, long total, int seconds)
    {
        var before = gateway.Process.ResidentBytes;
        var (streamed, highest) = (0L, before);
        while (streamed < total)
        {
            var run = Wrk.RunAsync(gateway, Film(), Connections, seconds);
            while (!run.IsCompleted)
            {
                highest = Math.Max(highest, gateway.Process.ResidentBytes);
                await Task.WhenAny(run, Task.Delay(LookEvery, TimeProvider.System, CancellationToken.None));
            }

            streamed += (await run).Requests * Lab.FilmBytes;
        }

        return (streamed, before, highest);
    }
}
