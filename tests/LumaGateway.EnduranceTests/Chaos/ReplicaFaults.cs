
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What is done to a replica. One at a time.</summary>
internal sealed class ReplicaFaults(ChaosSystem system, Findings findings)
{
    public async Task ThrowAsync(PlannedFault fault)
    {
        var replica = system.Replicas[fault.Replica];
        switch (fault.Kind)
        {
            case FaultKind.ReplicaIsKilled:
                replica.Kill();
                await Wait.ForAsync(fault.For);
                await replica.StartAsync();
                break;
            case FaultKind.ReplicaIsStopped:
                replica.Stop();
                await Wait.ForAsync(fault.For);
                replica.Continue();
                break;
            case FaultKind.ReplicaIsRestarted:
                var code = await replica.EndAsync();
                findings.Check(Invariant.EverythingRecovers, code == 0, () => $"Replica {fault.Replica}, asked to end, ended with {code}.\n{replica.Log}");
                await replica.StartAsync();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(fault));
        }
    }
}
