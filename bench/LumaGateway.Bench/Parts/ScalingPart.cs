using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Report;

namespace LumaGateway.Bench.Parts;

/// <summary>How the cost of a hit grows with what there is besides it: the curves and figures of <c>docs/scaling.md</c>.</summary>
internal sealed class ScalingPart : IPart
{
    public const string PartName = "scaling";

    private const int Connections = 32;
    private const string PathOfKept = "/generations/kept-@id";

    /// <summary>Of one core: what is left for the rest of the day's work and for a replica that is down.</summary>
    private const double Headroom = 0.6;

    public string Name => PartName;

    public string Title => "How the cost of a hit grows";

    public async Task<string> RunAsync(Lab lab)
    {
        Curve[] curves = [await SizesAsync(lab), await ClientsAsync(lab), await WaitersAsync(lab), await ReplicasAsync(lab)];
        foreach (var curve in curves)
        {
            curve.Write();
        }

        var tables = string.Join('\n', curves.Select(curve => curve.Table()));
        ScalingPage.Fill(curves, Arithmetic(curves[0]));
        return $"Curves: [docs/scaling.md](../docs/scaling.md).\n\n{tables}";
    }

    /// <summary>Any of so many kept answers, the cache being filled further from point to point.</summary>
    private static async Task<Curve> SizesAsync(Lab lab)
    {
        var curve = new Curve("sizes", "A hit, by answers kept", "answers kept in memory", IsLogarithmic: true);
        var gateway = await lab.GatewayAsync(new GatewaySettings { MemoryBytes = 8L * 1024 * 1024 * 1024 });
        var kept = 0;
        foreach (var size in Upto(lab, 10, 100, 1_000, 10_000, 100_000, 1_000_000))
        {
            await Wrk.FillAsync(gateway, PathOfKept, kept + 1, size);
            kept = size;
            await RoundsAsync(lab, curve, size, gateway, new Asking(PathOfKept, Order.Random, 1, size), [gateway.Process]);
        }

        await lab.StopAsync(gateway);
        return curve;
    }

    /// <summary>Each request with any of so many keys. All gateways stand ready, and take turns.</summary>
    private static async Task<Curve> ClientsAsync(Lab lab)
    {
        var curve = new Curve("clients", "A hit, by clients known", "clients, each with a key of its own", IsLogarithmic: true);
        var gateways = new List<(int Clients, Server Server)>();
        foreach (var clients in Upto(lab, 1, 10, 100, 1_000, 10_000))
        {
            var gateway = await lab.GatewayAsync(new GatewaySettings { Clients = clients });
            await CheckAsync(lab, gateway); // the first request finds out who the clients are
            gateways.Add((clients, gateway));
        }

        for (var round = 0; round <= lab.Plan.Rounds; round++)
        {
            foreach (var (clients, gateway) in gateways)
            {
                await MeasureAsync(lab, round == 0 ? null : curve, clients, gateway, Asking.ForSample() with { Order = Order.Random, Clients = clients }, [gateway.Process]);
            }
        }

        await StopAsync(lab, gateways.Select(gateway => gateway.Server));
        return curve;
    }

    /// <summary>While so many event streams are open and silent, on ten generations that do not end.</summary>
    private static async Task<Curve> WaitersAsync(Lab lab)
    {
        var curve = new Curve("waiters", "A hit, by callers waiting", "open event streams", IsLogarithmic: false);
        var gateway = await lab.GatewayAsync();
        using var http = Answers.ClientOf(gateway);
        var streams = new List<HttpResponseMessage>();
        foreach (var waiters in Upto(lab, 0, 500, 1_000, 2_000, 3_000))
        {
            while (streams.Count < waiters)
            {
                var path = new Uri($"/generations/unfinished-{streams.Count % 10}/events", UriKind.Relative);
                streams.Add((await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode());
            }

            await RoundsAsync(lab, curve, waiters, gateway, Asking.ForSample(), [gateway.Process]);
        }

        streams.ForEach(stream => stream.Dispose());
        await lab.StopAsync(gateway);
        return curve;
    }

    /// <summary>Through nginx, which hands out in turn; its own work counts.</summary>
    private static async Task<Curve> ReplicasAsync(Lab lab)
    {
        var curve = new Curve("replicas", "A hit through nginx, by replicas", "replicas", IsLogarithmic: false);
        var replicas = new List<Server>();
        foreach (var count in new[] { 1, 2, 3 })
        {
            replicas.Add(await lab.GatewayAsync(new GatewaySettings { Cores = $"{Cores.Replica(replicas.Count)}" }));
            var balancer = FreePort.Lasting();
            var nginx = await lab.NginxAsync(balancer, replicas);
            var front = nginx with { Port = balancer };
            await CheckAsync(lab, replicas[^1]);
            await CheckAsync(lab, front);
            await RoundsAsync(lab, curve, count, front, Asking.ForSample(), [nginx.Process, .. replicas.Select(replica => replica.Process)]);
            await lab.StopAsync(nginx);
        }

        return curve;
    }

    private static IEnumerable<int> Upto(Lab lab, params IEnumerable<int> sizes) => sizes.Where(size => size <= (lab.Plan.IsQuick ? 1_000 : int.MaxValue));

    private static Task CheckAsync(Lab lab, Server server) =>
        Answers.CheckAsync(new Contender(server.Name, server, Asking.ForSample, AsksUpstream: false, lab.Slim.Length));

    private static async Task RoundsAsync(Lab lab, Curve curve, int x, Server server, Asking asking, IReadOnlyList<ServerProcess> work)
    {
        for (var round = 0; round <= lab.Plan.Rounds; round++)
        {
            await MeasureAsync(lab, round == 0 ? null : curve, x, server, asking, work);
        }
    }

    /// <summary>Without a curve it warms up.</summary>
    private static async Task MeasureAsync(Lab lab, Curve? curve, int x, Server server, Asking asking, IReadOnlyList<ServerProcess> work)
    {
        var before = work.Sum(process => process.ProcessorTime.TotalMicroseconds);
        var run = await Wrk.RunAsync(server, asking, Connections, lab.Plan.Seconds);
        curve?.Add(x, run, work.Sum(process => process.ProcessorTime.TotalMicroseconds) - before);
    }

    private static async Task StopAsync(Lab lab, IEnumerable<Server> servers)
    {
        foreach (var server in servers)
        {
            await lab.StopAsync(server);
        }
    }

    /// <summary>From the dearest point of the curve of sizes: what a million reads a second take.</summary>
    private static string Arithmetic(Curve sizes)
    {
        const double Asked = 1_000_000;
        var micros = sizes.Points.Max(point => point.Y.Median);
        var perCore = 1e6 / micros * Headroom;
        return $"""
            A hit takes {Number.In("0.0", micros)} µs of a core at the dearest point of the first curve. Planned at {Headroom:0%} load, one core answers
            {Number.Rounded(perCore)} reads a second, and {Asked:#,0} take **{Number.In("0", Math.Ceiling(Asked / perCore))} such cores**.
            """;
    }
}
