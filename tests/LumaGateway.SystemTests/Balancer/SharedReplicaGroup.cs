namespace LumaGateway.SystemTests.Balancer;

/// <summary>One balanced replica group for tests that break nothing. The first use starts it. Each test uses its own ids.</summary>
public sealed class SharedReplicaGroup : IAsyncDisposable
{
    private readonly Lazy<Task<BalancedReplicaGroup>> _group = new(() => BalancedReplicaGroup.StartAsync(("Waiting:Heartbeat", "00:00:01"), ("Waiting:Longest", "00:10:00")));

    /// <summary>Skips the running test if a balancer is not installed.</summary>
    internal Task<BalancedReplicaGroup> GetAsync()
    {
        Tool.Require(BalancerProcess.Nginx);
        Tool.Require(BalancerProcess.HAProxy);
        return _group.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (_group.IsValueCreated)
        {
            await (await _group.Value).DisposeAsync();
        }
    }
}
