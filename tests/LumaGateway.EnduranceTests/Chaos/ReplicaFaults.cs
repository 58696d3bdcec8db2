namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Applies faults to a replica, one at a time.</summary>
internal sealed class ReplicaFaults(ChaosSystem system, Findings findings)
{
    public async Task ApplyAsync(PlannedFault fault)
    {
        var replica = system.Replicas[fault.Replica];
        switch (fault.Kind)
        {
            case FaultKind.ReplicaIsKilled:
                replica.Kill();
                await Wait.ForAsync(fault.Duration);
                await replica.StartAsync();
                break;
            case FaultKind.ReplicaIsPaused:
                replica.Pause();
                await Wait.ForAsync(fault.Duration);
                replica.Resume();
                break;
            case FaultKind.ReplicaIsRestarted:
                var code = await replica.TerminateAsync();
                findings.Check(Invariant.SystemRecovers, code == 0, () => $"Replica {fault.Replica} ended with exit code {code} after SIGTERM.\n{replica.Log}");
                await replica.StartAsync();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault));
        }
    }
}
