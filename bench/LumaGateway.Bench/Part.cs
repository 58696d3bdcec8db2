using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LumaGateway.Bench;

/// <summary>A section of the report that can run alone: a contest or one of the measurements below.</summary>
internal sealed record Part(string Name, string Title, Func<Lab, Task<string>> RunAsync)
{
    private const string Cached = "/generations/cached-@id";

    public static IReadOnlyList<Part> All { get; } =
    [
        .. Contests.All.Select(contest => new Part(contest.Name, contest.Title, contest.RunAsync)),
        new("latency", "Latency of a hit at half of the peak rate", MeasureLatencyAsync),
        new("start", "Start and memory", MeasureStartAsync),
        new("million", "Many ids through a bounded cache", MeasureMillionAsync),
        new("scaling", "How the cost of a hit grows", MeasureScalingAsync),
    ];

    private static async Task<string> MeasureLatencyAsync(Lab lab)
    {
        var seconds = lab.Options.Seconds;
        var measured = new List<(string Name, Server Server, double Rate, List<Latencies> Rounds)>();
        foreach (var contender in Contests.All[0].Contenders.Where(one => one.Command is "gateway" or "kestrel" or "tuned" or "nginx"))
        {
            var server = await lab.StartAsync(contender.Command);
            await Contest.CheckAsync(server, Contests.Sample, contender.Length, isHit: true);
            await Wrk.RunAsync(server, Contests.Sample, connections: 32, seconds + 1);
            var rate = (await Wrk.RunAsync(server, Contests.Sample, connections: 32, seconds)).Rate / 2;
            await OpenLoop.RunAsync(server, Contests.Sample.Path, rate, seconds);
            measured.Add((contender.Name, server, rate, []));
        }

        for (var round = 1; round <= lab.Options.Rounds; round++)
        {
            foreach (var (name, server, rate, rounds) in measured)
            {
                rounds.Add(await OpenLoop.RunAsync(server, Contests.Sample.Path, rate, seconds));
                Report.Progress($"round {round}, {rate:0}/s: {rounds[^1]} {name}");
            }
        }

        return $"""
            Requests are sent at a fixed rate, and each latency counts from when the request was due. Medians (least–most) of the rounds, in µs.

            {Report.Table(
                ["", "requests a second", "p50", "p99", "p99.9", "p99 of the gateway ÷ this"],
                measured.Select(one => (string[])
                [
                    one.Name, Report.Rounded(one.Rate), In(one.Rounds, round => round.P50), In(one.Rounds, round => round.P99), In(one.Rounds, round => round.P999),
                    Spread.Of(measured[0].Rounds, one.Rounds, (ours, theirs) => ours.P99 / theirs.P99).ToString("0.00"),
                ]))}
            """;

        static string In(List<Latencies> rounds, Func<Latencies, double> percentile) => Spread.Of(rounds.Select(percentile)).ToString("0");
    }

    private static async Task<string> MeasureStartAsync(Lab lab)
    {
        var (live, read) = (new List<double>(), new List<double>());
        for (var round = 0; round <= lab.Options.Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var server = await lab.StartAsync("gateway");
            foreach (var (path, times) in new[] { ("/health/live", live), (Contests.Sample.Path, read) })
            {
                await server.Http.GetByteArrayAsync(new Uri(path, UriKind.Relative));
                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            await lab.StopAsync(server);
        }

        var (first, last) = lab.Options.IsQuick ? (10_000, 20_000) : (100_000, 200_000);
        var gateway = await lab.StartAsync("gateway", "Cache__MemoryBytes=1073741824");
        await gateway.Http.GetByteArrayAsync(new Uri("/health/live", UriKind.Relative));
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, CancellationToken.None);
        var memory = new List<double> { gateway.MemoryMiB };
        await Contest.CheckAsync(gateway, Contests.Sample, Lab.Slim.Length, isHit: true);
        await Wrk.RunAsync(gateway, Contests.Sample, connections: 256, lab.Options.Seconds * 2);
        memory.Add(gateway.MemoryMiB);
        await Wrk.FillAsync(gateway, Cached, 1, first);
        memory.Add(gateway.MemoryMiB);
        await Wrk.FillAsync(gateway, Cached, first + 1, last);
        memory.Add(gateway.MemoryMiB);
        memory.Add((memory[^1] - memory[^2]) / (last - first) * 1000);
        memory.Add(Directory.EnumerateFiles("artifacts/bench/gateway", "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) / 1024.0 / 1024);
        string[] names =
        [
            "resident, idle", "resident after hits on 256 connections", $"resident with {first:#,0} cached entries", $"resident with {last:#,0} cached entries",
            "growth for each 1,000 of them", "published, on disk",
        ];
        return $"""
            {Report.Table(
                ["on one core, from the start of the process", "ms"],
                [["first 200 of /health/live", Spread.Of(live.Skip(1)).ToString("0")], ["first read, through the upstream", Spread.Of(read.Skip(1)).ToString("0")]])}
            {Report.Table(["on one core", "MiB"], names.Zip(memory, (name, size) => (string[])[name, Report.In("0.00", size)]))}
            """;
    }

    private static async Task<string> MeasureMillionAsync(Lab lab)
    {
        var step = lab.Options.IsQuick ? 10_000 : 100_000;
        var gateway = await lab.StartAsync("gateway", "Cache__MemoryBytes=67108864");
        var rows = new List<string[]>();
        for (var done = step; done <= 10 * step; done += step)
        {
            var run = await Wrk.FillAsync(gateway, Cached, done - step + 1, done);
            rows.Add([$"{done:#,0}", Report.In("0.0", gateway.MemoryMiB), Report.Rounded(run.Rate)]);
            Report.Progress($"{string.Join("  ", rows[^1])}");
        }

        return $"`Cache:MemoryBytes` is 64 MiB.\n\n{Report.Table(["ids so far", "resident, MiB", "misses a second"], rows)}";
    }

    /// <summary>Measures the cost of a hit at growing numbers of entries, clients and streams.</summary>
    private static async Task<string> MeasureScalingAsync(Lab lab)
    {
        Server gateway = null!;
        var (filled, streams) = (0, new List<HttpResponseMessage>());
        return string.Join('\n', [
            await CurveAsync(lab, "cached entries in memory", [10, 100, 1_000, 10_000, 100_000, 1_000_000], async entries =>
            {
                gateway = filled == 0 ? await lab.StartAsync("gateway", "Cache__MemoryBytes=8589934592") : gateway;
                await Wrk.FillAsync(gateway, Cached, filled + 1, entries);
                filled = entries;
                return (gateway, new Load(Cached, "random", 1, entries));
            }),
            await CurveAsync(lab, "clients, each with its own key", [1, 10, 100, 1_000, 10_000], async clients =>
            {
                await lab.StopAsync(lab.Tested);
                var keys = Enumerable.Range(0, clients).Select(index => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"key-{index}"))));
                var access = new { Clients = keys.Select((hash, index) => new { Name = $"client-{index}", KeySha256 = hash, Rights = (string[])["read"] }) };
                await File.WriteAllTextAsync("artifacts/bench/gateway/appsettings.Bench.json", JsonSerializer.Serialize(new { Access = access }));
                return (await lab.StartAsync("gateway", "ASPNETCORE_ENVIRONMENT=Bench"), Contests.Sample with { Order = "random", Clients = clients });
            }),
            await CurveAsync(lab, "open event streams", [0, 500, 1_000, 2_000, 3_000], async waiters =>
            {
                gateway = waiters == 0 ? await lab.StartAsync("gateway") : gateway;
                while (streams.Count < waiters)
                {
                    var path = new Uri($"/generations/unfinished-{streams.Count % 10}/events", UriKind.Relative);
                    streams.Add((await gateway.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode());
                }

                return (gateway, Contests.Sample);
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
            await Contest.CheckAsync(server, load, length: null, isHit: true);
            await Wrk.RunAsync(server, load, connections: 32, lab.Options.Seconds);
            var (micros, rates) = (new List<double>(), new List<double>());
            for (var round = 1; round <= lab.Options.Rounds; round++)
            {
                var before = server.ProcessorMicros;
                var run = await Wrk.RunAsync(server, load, connections: 32, lab.Options.Seconds);
                micros.Add((server.ProcessorMicros - before) / run.Requests);
                rates.Add(run.Rate);
            }

            rows.Add([$"{size:#,0}", Spread.Of(micros).ToString("0.0"), Report.Rounded(Spread.Of(rates).Median)]);
            Report.Progress($"{axis}: {string.Join("  ", rows[^1])}");
        }

        return Report.Table([axis, "µs of a core for each hit", "hits a second"], rows);
    }
}
