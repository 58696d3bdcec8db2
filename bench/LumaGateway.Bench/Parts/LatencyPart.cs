using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Report;

namespace LumaGateway.Bench.Parts;

/// <summary>How long a hit takes at a fixed rate, half of what each can do.</summary>
internal sealed class LatencyPart : IPart
{
    private const int PeakConnections = 32;

    public string Name => "latency";

    public string Title => "Latency of a hit at half of the peak rate";

    public async Task<string> RunAsync(Lab lab)
    {
        var seconds = lab.Plan.Seconds;
        (string Name, Server Server)[] servers =
        [
            ("gateway", await lab.GatewayAsync()),
            ("bare Kestrel", await lab.KestrelAsync()),
            ("tuned Kestrel", await lab.TunedKestrelAsync()),
            ("nginx", await lab.NginxAsync()),
        ];
        var rates = new Dictionary<string, double>();
        foreach (var (name, server) in servers)
        {
            await Answers.CheckAsync(new Contender(name, server, Asking.ForSample, AsksUpstream: false, lab.Slim.Length));
            await Wrk.RunAsync(server, Asking.ForSample(), PeakConnections, seconds + 1);
            rates[name] = Math.Round((await Wrk.RunAsync(server, Asking.ForSample(), PeakConnections, seconds)).Rate / 2);
            await OpenLoop.RunAsync(server, Asking.ForSample(), rates[name], seconds);
        }

        var found = servers.ToDictionary(one => one.Name, _ => new List<Latencies>());
        for (var round = 1; round <= lab.Plan.Rounds; round++)
        {
            foreach (var (name, server) in servers)
            {
                var latencies = await OpenLoop.RunAsync(server, Asking.ForSample(), rates[name], seconds);
                found[name].Add(latencies);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round}, {rates[name]:0}/s: p50 {latencies.P50:0} p99 {latencies.P99:0} p99.9 {latencies.P999:0} µs, {name}"));
            }
        }

        var p99 = Spread.Of(found["gateway"].Zip(found["bare Kestrel"], (ours, theirs) => ours.P99 / theirs.P99));
        return $"""
            Sent at a fixed rate, whatever comes back when; counted from when each request was due. Medians (least–most) of the rounds, in µs.

            {Markdown.Table(
                ["", "requests a second", "p50", "p99", "p99.9"],
                found.Select(one => (string[])[one.Key, Number.Rounded(rates[one.Key]), In(one.Value, each => each.P50), In(one.Value, each => each.P99), In(one.Value, each => each.P999)]))}
            p99, gateway ÷ bare Kestrel: {p99.ToString("0.00")}
            """;

        static string In(List<Latencies> rounds, Func<Latencies, double> part) => Spread.Of(rounds.Select(part)).ToString("0");
    }
}
