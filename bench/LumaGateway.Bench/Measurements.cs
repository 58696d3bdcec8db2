using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LumaGateway.Bench;

/// <summary>The parts that are not contests. Each returns its tables.</summary>
internal static class Measurements
{
    private static readonly Load Cached = new("/generations/cached-@id", "random");

    public static async Task<string> LatencyAsync(Lab lab)
    {
        var seconds = lab.Options.Seconds;
        var measured = new List<(string Name, Server Server, double Rate, List<double[]> Rounds)>();
        foreach (var contender in Contender.Of([new("gateway", Part.Sample), new("tuned", Part.Sample), new("nginx", Part.Sample)], lab.Options))
        {
            var server = await Contest.StartWarmAsync(lab, contender, isHit: true);
            var rate = (await Wrk.RunAsync(server, Part.Sample, connections: 32, seconds)).Rate / 2;
            await OpenLoop.RunAsync(server, Part.Sample.Path, rate, seconds);
            measured.Add((contender.Name, server, rate, []));
        }

        for (var round = 1; round <= lab.Options.Rounds; round++)
        {
            foreach (var (name, server, rate, rounds) in measured)
            {
                rounds.Add(await OpenLoop.RunAsync(server, Part.Sample.Path, rate, seconds));
                Report.Progress($"round {round}, {rate:0}/s: {string.Join(" ", rounds[^1])} µs {name}");
            }
        }

        return Report.Table(
            ["latency in µs", "requests a second", "p50", "p99", "p99.9"],
            measured.Select(one => (string[])[one.Name, Report.Rounded(one.Rate), .. Enumerable.Range(0, 3).Select(i => Spread.Of(one.Rounds.Select(round => round[i])).ToString("0"))]));
    }

    public static async Task<string> StartAsync(Lab lab)
    {
        var programs = lab.Options.Programs.Select(program => (program.Name, Program: program, Live: new List<double>(), Read: new List<double>(), Idle: new List<double>())).ToList();
        for (var round = 1; round <= (lab.Options.IsQuick ? 2 : 10); round++)
        {
            foreach (var (_, program, live, read, idle) in programs)
            {
                var started = Stopwatch.GetTimestamp();
                var server = await lab.StartAsync("gateway", program: program);
                foreach (var (path, times) in new[] { ("/health/live", live), (Part.Sample.Path, read) })
                {
                    await server.Http.GetByteArrayAsync(new Uri(path, UriKind.Relative));
                    times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                }

                await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, CancellationToken.None);
                idle.Add(server.MemoryMiB);
                await lab.StopAsync(server);
            }
        }

        var (entries, rows) = (lab.Options.IsQuick ? 10_000 : 100_000, new List<string[]>());
        foreach (var (name, program, live, read, idle) in programs)
        {
            var server = await lab.StartAsync("gateway", "Cache__MemoryBytes=1073741824", program);
            await Wrk.RunAsync(server, Part.Sample, connections: 256, lab.Options.Seconds * 2);
            var loaded = server.MemoryMiB;
            await Wrk.FillAsync(server, Cached.Path, 1, entries);
            var filled = server.MemoryMiB;
            await Wrk.FillAsync(server, Cached.Path, entries + 1, 2 * entries);
            rows.Add([
                name, Spread.Of(live).ToString("0"), Spread.Of(read).ToString("0"), Spread.Of(idle).ToString("0.0"), Report.In("0.0", loaded), Report.In("0.0", filled),
                Report.In("0.00", (server.MemoryMiB - filled) / entries * 1000), Report.In("0.0", new FileInfo(program.File).Length / 1024.0 / 1024),
            ]);
            await lab.StopAsync(server);
        }

        return Report.Table(
            ["ms from the start of the process, and MiB resident", "first 200 of /health/live", "first read through the upstream", "idle after it", "after hits on 256 connections",
                $"with {entries:#,0} entries", "for each 1,000 more", "program on disk"],
            rows);
    }

    /// <summary>Measures the cost of a hit at growing numbers of entries, clients and streams.</summary>
    public static async Task<string> ScalingAsync(Lab lab)
    {
        Server server = null!;
        var (filled, streams, program) = (0, new List<HttpResponseMessage>(), lab.Options.Programs[0]);
        var clientSettings = Path.Combine(Path.GetDirectoryName(program.File)!, "appsettings.Bench.json");
        return string.Join('\n', [
            await CurveAsync(lab, "cached entries in memory", [10, 100, 1_000, 10_000, 100_000, 1_000_000], async entries =>
            {
                server = filled == 0 ? await lab.StartAsync("gateway", "Cache__MemoryBytes=8589934592", program) : server;
                await Wrk.FillAsync(server, Cached.Path, filled + 1, entries);
                filled = entries;
                return (server, Cached with { Last = entries });
            }),
            await CurveAsync(lab, "clients, each with its own key", [1, 10, 100, 1_000, 10_000], async clients =>
            {
                await lab.StopAsync(lab.Tested);
                var keys = Enumerable.Range(0, clients).Select(index => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"key-{index}"))));
                var access = new { Clients = keys.Select((hash, index) => new { Name = $"client-{index}", KeySha256 = hash, Rights = (string[])["read"] }) };
                await File.WriteAllTextAsync(clientSettings, JsonSerializer.Serialize(new { Access = access }));
                server = await lab.StartAsync("gateway", "ASPNETCORE_ENVIRONMENT=Bench", program);
                return (server, Part.Sample with { Order = "random", Clients = clients });
            }),
            await CurveAsync(lab, "open event streams", [0, 500, 1_000, 2_000, 3_000], async waiters =>
            {
                File.Delete(clientSettings); // not while the servers run that were started with it: they reload their settings
                server = waiters == 0 ? await lab.StartAsync("gateway", program: program) : server;
                while (streams.Count < waiters)
                {
                    var path = new Uri($"/generations/unfinished-{streams.Count % 10}/events", UriKind.Relative);
                    streams.Add((await server.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode());
                }

                return (server, Part.Sample);
            }),
        ]);
    }

    private static async Task<string> CurveAsync(Lab lab, string axis, IEnumerable<int> sizes, Func<int, Task<(Server Server, Load Load)>> prepare)
    {
        await lab.StopAsync(lab.Tested);
        var rows = new List<string[]>();
        foreach (var size in sizes.Where(size => size <= (lab.Options.IsQuick ? 1_000 : int.MaxValue)))
        {
            var (server, load) = await prepare(size);
            await Contest.CheckAsync(server, load, isHit: true);
            await Wrk.RunAsync(server, load, connections: 32, lab.Options.Seconds);
            var runs = new List<Run>();
            for (var round = 1; round <= lab.Options.Rounds; round++)
            {
                runs.Add(await Wrk.RunAsync(server, load, connections: 32, lab.Options.Seconds));
            }

            rows.Add([$"{size:#,0}", Spread.Of(runs.Select(run => run.ProcessorMicros)).ToString("0.0"), Report.Rounded(Spread.Of(runs.Select(run => run.Rate)).Median)]);
            Report.Progress($"{axis}: {string.Join("  ", rows[^1])}");
        }

        return Report.Table([axis, "µs of a core for each hit", "hits a second"], rows);
    }
}
