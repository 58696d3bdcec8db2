using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Parts;

/// <summary>A hit in memory beside web servers and caches with the same body.</summary>
internal sealed class HitPart : IPart
{
    public string Name => "hit";

    public string Title => "A hit in memory";

    public async Task<string> RunAsync(Lab lab)
    {
        (string Name, Server Server)[] servers =
        [
            ("gateway", await lab.GatewayAsync()),
            ("bare Kestrel", await lab.KestrelAsync()),
            ("tuned Kestrel", await lab.TunedKestrelAsync()),
            ("nginx", await lab.NginxAsync()),
            ("HAProxy", await lab.HaproxyAsync()),
            ("Varnish", await lab.VarnishAsync()),
        ];
        var contest = new Contest(lab, [.. servers.Select(one => new Contender(one.Name, one.Server, Asking.ForSample, AsksUpstream: false, lab.Slim.Length))]);

        await contest.RunAsync();

        return $"""
            Body: {lab.Slim.Length} bytes. The gateway checks the client's key and limits, counts, and sends ETag, Cache-Control, Cache-Status and request id.

            {contest.Ratios([.. servers.Skip(1).Select(other => ("gateway", other.Name))])}
            {contest.Rates()}
            """;
    }
}
