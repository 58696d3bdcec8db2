namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Applies faults to the upstream and its connections, one at a time.</summary>
internal sealed class UpstreamFaults(ChaosSystem system, Findings findings)
{
    private const double HighProbability = 0.7;

    /// <summary>Limits a fault to reads. A create with such a response counts as completed, and its response cannot be checked.</summary>
    private const string ReadsOnly = "GET ";

    private static readonly TimeSpan CloseInterval = TimeSpan.FromMilliseconds(300);

    public Task ApplyAsync(PlannedFault fault) => fault.Kind switch
    {
        FaultKind.UpstreamSlow => ApplyRuleAsync(fault, new SandboxFault("latency") { Delay = fault.Size }),
        FaultKind.UpstreamThrottles => ThrottleAsync(fault),
        FaultKind.UpstreamFails => ApplyRuleAsync(fault, new SandboxFault("status") { Status = fault.Size, Probability = HighProbability }),
        FaultKind.UpstreamResets => ApplyRuleAsync(fault, new SandboxFault("reset") { Probability = HighProbability }),
        FaultKind.UpstreamTruncates => ApplyRuleAsync(fault, new SandboxFault("truncated") { Probability = HighProbability }),
        FaultKind.UpstreamDrips => ApplyRuleAsync(fault, new SandboxFault("drip") { Delay = fault.Size }),
        FaultKind.UpstreamSendsWrongIds => ApplyRuleAsync(fault, new SandboxFault("wrong-id") { Probability = HighProbability, Match = ReadsOnly }),
        FaultKind.UpstreamSendsHtml => ApplyRuleAsync(fault, new SandboxFault("html") { Probability = HighProbability, Match = ReadsOnly }),
        FaultKind.UpstreamHangs => ApplyRuleAsync(fault, new SandboxFault("hang") { Probability = HighProbability }),
        FaultKind.UpstreamConnectionsAreClosed => CloseConnectionsAsync(fault),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    private async Task ApplyRuleAsync(PlannedFault fault, SandboxFault rule)
    {
        await system.Sandbox.AddFaultAsync(rule);
        await Wait.ForAsync(fault.Duration);
        await system.Sandbox.RemoveFaultsAsync();
    }

    /// <summary>In the worst case each replica gets its own 429, and another one after each <c>Retry-After</c>.</summary>
    private async Task ThrottleAsync(PlannedFault fault)
    {
        await system.Sandbox.AddFaultAsync(new SandboxFault("status") { Status = 429, RetryAfter = fault.Size });
        var before = UpstreamBounds.ReadsIn(await system.Sandbox.CountsAsync());
        await Wait.ForAsync(fault.Duration);
        var reads = UpstreamBounds.ReadsIn(await system.Sandbox.CountsAsync()) - before;
        await system.Sandbox.RemoveFaultsAsync();
        UpstreamBounds.CheckRetryAfter(reads, fault, findings);
    }

    private async Task CloseConnectionsAsync(PlannedFault fault)
    {
        for (var passed = TimeSpan.Zero; passed < fault.Duration; passed += CloseInterval)
        {
            system.UpstreamProxy.CloseConnections();
            await Wait.ForAsync(CloseInterval);
        }
    }
}
