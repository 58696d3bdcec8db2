using System.Globalization;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Three replicas with one Redis, on fixed ports, behind nginx and HAProxy.</summary>
internal sealed class BalancedReplicaGroup : IAsyncDisposable
{
    private readonly RedisServer _redis;

    private BalancedReplicaGroup(RedisServer redis, ReplicaGroup group, IReadOnlyList<BalancerProcess> balancers) => (_redis, Group, Balancers) = (redis, group, balancers);

    public ReplicaGroup Group { get; }

    public IReadOnlyList<BalancerProcess> Balancers { get; }

    public static async Task<BalancedReplicaGroup> StartAsync(params (string Key, string Value)[] settings)
    {
        Tool.Require(BalancerProcess.Nginx);
        Tool.Require(BalancerProcess.HAProxy);
        var redis = await RedisServer.StartAsync();
        var group = await ReplicaGroup.StartAsync(0, redis.Endpoint, [.. settings, ("ForwardedHeaders:KnownProxies:0", "127.0.0.1")]);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => FreePort.UseAsync(
            port => group.AddAsync(("ASPNETCORE_URLS", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"))))));

        var ports = group.Replicas.Select(replica => replica.Address.Port).ToList();
        var balancers = await Task.WhenAll(
            BalancerProcess.StartAsync(BalancerProcess.Nginx, ports), BalancerProcess.StartAsync(BalancerProcess.HAProxy, ports));
        return new BalancedReplicaGroup(redis, group, balancers);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Balancers.Select(balancer => balancer.DisposeAsync().AsTask()));
        await Group.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
