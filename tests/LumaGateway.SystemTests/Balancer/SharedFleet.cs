namespace LumaGateway.SystemTests.Balancer;

/// <summary>One balanced fleet for the tests that break nothing, started when the first one asks for it. Each takes ids of its own.</summary>
public sealed class SharedFleet : IAsyncDisposable
{
    private readonly Lazy<Task<BalancedFleet>> _fleet = new(() => BalancedFleet.StartAsync(("Waiting:Heartbeat", "00:00:01"), ("Waiting:Longest", "00:10:00")));

    /// <summary>Skips the running test where the machine lacks a balancer.</summary>
    internal Task<BalancedFleet> GetAsync()
    {
        Tool.Require(BalancerProcess.Nginx);
        Tool.Require(BalancerProcess.HAProxy);
        return _fleet.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (_fleet.IsValueCreated)
        {
            await (await _fleet.Value).DisposeAsync();
        }
    }
}
