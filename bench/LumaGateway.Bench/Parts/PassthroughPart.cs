using LumaGateway.Bench.Baselines;
using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Parts;

/// <summary>The upstream's own API through the gateway, beside proxies that do nothing else.</summary>
internal sealed class PassthroughPart : IPart
{
    public string Name => "passthrough";

    public string Title => "/luma, passed through";

    public async Task<string> RunAsync(Lab lab)
    {
        var contest = new Contest(
            lab,
            [
                new Contender("gateway", await lab.GatewayAsync(), Sample, AsksUpstream: true),
                new Contender("bare YARP", await lab.BaselineAsync(Baseline.Yarp, lab.Origin.Server.Address.ToString()), Sample, AsksUpstream: true),
                new Contender("nginx", await lab.NginxAsync(), Sample, AsksUpstream: true),
            ]);

        await contest.RunAsync();

        return $"""
            {contest.Ratios(("gateway", "bare YARP"), ("gateway", "nginx"))}
            {contest.Rates()}
            """;
    }

    private static Asking Sample() => new($"/luma/generations/{Lab.SampleId}");
}
