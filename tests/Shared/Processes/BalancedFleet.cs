using System.Globalization;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Three replicas with one Redis, on fixed ports, behind nginx and HAProxy.</summary>
internal sealed class BalancedFleet : IAsyncDisposable
{
    private readonly RedisServer _redis;

    private BalancedFleet(RedisServer redis, Fleet fleet, IReadOnlyList<BalancerProcess> balancers) => (_redis, Fleet, Balancers) = (redis, fleet, balancers);

    public Fleet Fleet { get; }

    public IReadOnlyList<BalancerProcess> Balancers { get; }

    public static async Task<BalancedFleet> StartAsync(params (string Key, string Value)[] settings)
    {
        Tool.Require(BalancerProcess.Nginx);
        Tool.Require(BalancerProcess.HAProxy);
        var redis = await RedisServer.StartAsync();
        var fleet = await Fleet.StartAsync(0, redis.Endpoint, [.. settings, ("ForwardedHeaders:KnownProxies:0", "127.0.0.1")]);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => FreePort.UseAsync(
            port => fleet.AddAsync(("ASPNETCORE_URLS", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"))))));

        var ports = fleet.Replicas.Select(replica => replica.Address.Port).ToList();
        var balancers = await Task.WhenAll(
            BalancerProcess.StartAsync(BalancerProcess.Nginx, ports), BalancerProcess.StartAsync(BalancerProcess.HAProxy, ports));
        return new BalancedFleet(redis, fleet, balancers);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Balancers.Select(balancer => balancer.DisposeAsync().AsTask()));
        await Fleet.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
