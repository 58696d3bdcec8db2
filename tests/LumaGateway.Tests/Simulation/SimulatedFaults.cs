using System.Diagnostics.CodeAnalysis;
using LumaGateway.Redis;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Simulation;

/// <summary>Begins and ends the faults of Redis, of the upstream and of a paused replica.</summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed class SimulatedFaults(SimulationScheduler scheduler, SimulatedProcess world, SimulatedNetwork network, FakeRedis redis, SimulatedUpstream upstream)
{
    public void Begin(Operation operation, SimulatedProcess process)
    {
        switch (operation.Kind)
        {
            case OperationKind.RedisDown:
                BeginFault(operation, NetworkFault.Down);
                break;
            case OperationKind.RepliesLost:
                BeginFault(operation, NetworkFault.RepliesLost);
                break;
            case OperationKind.ReadOnly:
                BeginFault(operation, NetworkFault.ReadOnly);
                break;
            case OperationKind.RedisSlow:
                BeginFault(operation, NetworkFault.Slow);
                break;
            case OperationKind.ConnectionSlow:
                network.SlowClients.Add(process);
                After(operation, () => network.SlowClients.Remove(process));
                break;
            case OperationKind.MessagesLost:
                network.LosesMessages = true;
                After(operation, () => network.LosesMessages = false);
                break;
            case OperationKind.Evict:
                redis.Lose(scheduler.Random.Next(2) == 0 ? ":final" : ":interim");
                break;
            case OperationKind.Failover:
                var restore = redis.Snapshot(static key => !key.StartsWith(LedgerConnection.Prefix, StringComparison.Ordinal));
                After(operation, restore);
                break;
            case OperationKind.Pause:
                process.PausedUntil = scheduler.Now + operation.Length;
                break;
            case OperationKind.UpstreamFails:
                upstream.Fails = true;
                After(operation, () => upstream.Fails = false);
                break;
            case OperationKind.AccountRefuses:
                upstream.Refusing = SimulatedUpstream.AccountOf(operation.Key);
                After(operation, () => upstream.Refusing = null);
                break;
            case OperationKind.UpstreamSlow:
                upstream.IsSlow = true;
                After(operation, () => upstream.IsSlow = false);
                break;
        }
    }

    private void After(Operation operation, Action action) => scheduler.At(world, scheduler.Now + operation.Length, action);

    private void BeginFault(Operation operation, NetworkFault fault)
    {
        network.Fault = fault;
        if (fault is NetworkFault.Down)
        {
            network.Notify(isLost: true);
        }

        After(operation, () =>
        {
            network.Fault = NetworkFault.None;
            network.Notify(isLost: false);
        });
    }
}
