namespace LumaGateway.SystemTests.Balancer;

/// <summary>One balanced fleet for tests that break nothing. The first use starts it. Each test uses its own ids.</summary>
public sealed class SharedFleet : IAsyncDisposable
{
    private readonly Lazy<Task<BalancedFleet>> _fleet = new(() => BalancedFleet.StartAsync(("Waiting:Heartbeat", "00:00:01"), ("Waiting:Longest", "00:10:00")));

    /// <summary>Skips the running test if a balancer is not installed.</summary>
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
