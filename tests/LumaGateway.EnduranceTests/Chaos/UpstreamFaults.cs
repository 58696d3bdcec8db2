
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What goes wrong with the upstream and on the road to it. One at a time.</summary>
internal sealed class UpstreamFaults(ChaosSystem system, Findings findings)
{
    private const double Mostly = 0.7;

    /// <summary>Faults of answers, not of what a create does: a create that was answered so is settled, and has no answer that could be checked.</summary>
    private const string Reads = "GET ";

    private static readonly TimeSpan CutEvery = TimeSpan.FromMilliseconds(300);

    public Task ThrowAsync(PlannedFault fault) => fault.Kind switch
    {
        FaultKind.UpstreamSlow => SpoilAsync(fault, new SandboxFault("latency") { Delay = fault.Size }),
        FaultKind.UpstreamThrottles => ThrottleAsync(fault),
        FaultKind.UpstreamFails => SpoilAsync(fault, new SandboxFault("status") { Status = fault.Size, Probability = Mostly }),
        FaultKind.UpstreamResets => SpoilAsync(fault, new SandboxFault("reset") { Probability = Mostly }),
        FaultKind.UpstreamTruncates => SpoilAsync(fault, new SandboxFault("truncated") { Probability = Mostly }),
        FaultKind.UpstreamDrips => SpoilAsync(fault, new SandboxFault("drip") { Delay = fault.Size }),
        FaultKind.UpstreamConfusesIds => SpoilAsync(fault, new SandboxFault("wrong-id") { Probability = Mostly, Match = Reads }),
        FaultKind.UpstreamSendsHtml => SpoilAsync(fault, new SandboxFault("html") { Probability = Mostly, Match = Reads }),
        FaultKind.UpstreamHangs => SpoilAsync(fault, new SandboxFault("hang") { Probability = Mostly }),
        FaultKind.RoadIsCut => CutAsync(fault),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    private async Task SpoilAsync(PlannedFault fault, SandboxFault rule)
    {
        await system.Sandbox.AddFaultAsync(rule);
        await Wait.ForAsync(fault.For);
        await system.Sandbox.RemoveFaultsAsync();
    }

    /// <summary>Every replica hears it for itself at worst, and again whenever its pause is over.</summary>
    private async Task ThrottleAsync(PlannedFault fault)
    {
        await system.Sandbox.AddFaultAsync(new SandboxFault("status") { Status = 429, RetryAfter = fault.Size });
        var before = UpstreamBounds.ReadsIn(await system.Sandbox.CountsAsync());
        await Wait.ForAsync(fault.For);
        var asked = UpstreamBounds.ReadsIn(await system.Sandbox.CountsAsync()) - before;
        await system.Sandbox.RemoveFaultsAsync();
        UpstreamBounds.CheckPause(asked, fault, findings);
    }

    private async Task CutAsync(PlannedFault fault)
    {
        for (var passed = TimeSpan.Zero; passed < fault.For; passed += CutEvery)
        {
            system.Road.CloseConnections();
            await Wait.ForAsync(CutEvery);
        }
    }
}
