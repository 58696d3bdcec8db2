using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Parts;

/// <summary>A hit in memory beside web servers and caches with the same body.</summary>
internal sealed class HitPart : IPart
{
    private const string Gateway = "gateway";
    private const string Jit = "gateway on the JIT";

    public string Name => "hit";

    public string Title => "A hit in memory";

    public async Task<string> RunAsync(Lab lab)
    {
        (string Name, Server Server)[] others =
        [
            ("bare Kestrel", await lab.KestrelAsync()),
            ("tuned Kestrel", await lab.TunedKestrelAsync()),
            ("nginx", await lab.NginxAsync()),
            ("HAProxy", await lab.HaproxyAsync()),
            ("Varnish", await lab.VarnishAsync()),
        ];
        var contest = new Contest(
            lab,
            [
                new Contender(Gateway, await lab.GatewayAsync(), Asking.ForSample, AsksUpstream: false, lab.Slim.Length),
                new Contender(Jit, await lab.GatewayAsync(new GatewaySettings { IsJit = true }), Asking.ForSample, AsksUpstream: false, lab.Slim.Length, LearnsSlowly: true),
                .. others.Select(one => new Contender(one.Name, one.Server, Asking.ForSample, AsksUpstream: false, lab.Slim.Length)),
            ]);

        await contest.RunAsync();

        return $"""
            Body: {lab.Slim.Length} bytes. The gateway checks the client's key and limits, counts, and sends ETag, Cache-Control, Cache-Status and request id.
            The image ships the native program; the same sources on the JIT, warmed up for half a minute, stand beside it. The Kestrels are on the JIT.

            {contest.Ratios([(Gateway, Jit), .. others.Select(other => (Gateway, other.Name)), .. others.Select(other => (Jit, other.Name))])}
            {contest.Rates()}
            """;
    }
}
