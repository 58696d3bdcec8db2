using LumaGateway.Bench.Baselines;
using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Parts;

/// <summary>The upstream's own API through the gateway, beside proxies that do nothing else.</summary>
internal sealed class PassthroughPart : IPart
{
    private const string Gateway = "gateway";
    private const string Jit = "gateway on the JIT";
    private const string Yarp = "bare YARP";
    private const string Nginx = "nginx";

    public string Name => "passthrough";

    public string Title => "/luma, passed through";

    public async Task<string> RunAsync(Lab lab)
    {
        var contest = new Contest(
            lab,
            [
                new Contender(Gateway, await lab.GatewayAsync(), Sample, AsksUpstream: true),
                new Contender(Jit, await lab.GatewayAsync(new GatewaySettings { IsJit = true }), Sample, AsksUpstream: true, LearnsSlowly: true),
                new Contender(Yarp, await lab.BaselineAsync(Baseline.Yarp, lab.Origin.Server.Address.ToString()), Sample, AsksUpstream: true),
                new Contender(Nginx, await lab.NginxAsync(), Sample, AsksUpstream: true),
            ]);

        await contest.RunAsync();

        return $"""
            The gateway as the native program that the image ships, and on the JIT as the bare YARP is.

            {contest.Ratios((Gateway, Yarp), (Gateway, Nginx), (Jit, Yarp), (Jit, Nginx))}
            {contest.Rates()}
            """;
    }

    private static Asking Sample() => new($"/luma/generations/{Lab.SampleId}");
}
