using LumaGateway.Bench.Baselines;
using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Parts;

/// <summary>A miss beside the least that can carry a request on to the same upstream.</summary>
internal sealed class MissPart : IPart
{
    private const string Memory = "gateway, memory";
    private const string WithRedis = "gateway, Redis";
    private const string HttpClient = "bare HttpClient";
    private const string Yarp = "bare YARP";

    public string Name => "miss";

    public string Title => "A miss";

    public async Task<string> RunAsync(Lab lab)
    {
        var redis = await lab.RedisAsync();
        var origin = lab.Origin.Server.Address.ToString();
        var contest = new Contest(
            lab,
            [
                new Contender(Memory, await lab.GatewayAsync(), Read, AsksUpstream: true),
                new Contender(WithRedis, await lab.GatewayAsync(new GatewaySettings { Redis = redis.Address.Authority }), Read, AsksUpstream: true),
                new Contender(HttpClient, await lab.BaselineAsync(Baseline.Forwarder, origin), Pass, AsksUpstream: true),
                new Contender(Yarp, await lab.BaselineAsync(Baseline.Yarp, origin), Pass, AsksUpstream: true),
            ]);

        await contest.RunAsync();

        return $"""
            Every id is new. The gateway reads the upstream's answer, makes the slim one of it and keeps it; the others pass it on unread.

            {contest.Added(HttpClient)}
            {contest.Ratios((Memory, HttpClient), (Memory, Yarp), (WithRedis, HttpClient), (WithRedis, Yarp))}
            {contest.Rates()}
            """;
    }

    private static Asking Read() => Asking.ForUnknown("/generations/new-@id");

    private static Asking Pass() => Asking.ForUnknown("/luma/generations/new-@id");
}
