using System.Globalization;

namespace LumaGateway.SystemTests.Observability;

/// <summary>A gateway with a management port, Redis and an upstream.</summary>
internal sealed class MonitoredGateway : IAsyncDisposable
{
    private readonly RedisServer _redis;

    private MonitoredGateway(RedisServer redis, ReplicaGroup group, int port) => (_redis, Group, Port) = (redis, group, port);

    public ReplicaGroup Group { get; }

    public GatewayProcess Replica => Group.Replicas[0];

    /// <summary>The management port.</summary>
    public int Port { get; }

    public Uri Management => new($"http://127.0.0.1:{Port}");

    public static async Task<MonitoredGateway> StartAsync(params (string Key, string Value)[] settings)
    {
        var redis = await RedisServer.StartAsync();
        try
        {
            return await FreePort.UseAsync(async port => new MonitoredGateway(
                redis,
                await ReplicaGroup.StartAsync(
                    1, redis.Endpoint, [("Management:Port", port.ToString(CultureInfo.InvariantCulture)), ("Luma:RetryDelay", "00:00:00.01"), .. settings]),
                port));
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Causes hits, misses, a long poll, a refused request, retries, faults and an unknown id.</summary>
    public async Task GenerateTrafficAsync()
    {
        var sandbox = Group.Sandbox;
        for (var i = 0; i < 5; i++)
        {
            await Replica.ReadAsync(SandboxProcess.SampleId);
        }

        using var anonymous = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Replica.Address };
        anonymous.DefaultRequestHeaders.Add("X-Api-Key", "unknown-key");
        using var refused = await anonymous.GetAsync(new Uri("/generations/a", UriKind.Relative), TestContext.Current.CancellationToken);

        await sandbox.AddFaultAsync(new SandboxFault("status") { Status = 500, Count = 4 });
        using var failed = await Replica.GetAsync("00000000-0000-4000-8000-000000000001");
        using var unknown = await Replica.GetAsync("00000000-0000-4000-8000-000000000002");
        await sandbox.RemoveFaultsAsync();
        await WaitAsync(Guid.NewGuid().ToString());
    }

    /// <summary>Makes the upstream refuse the token, and sends a request.</summary>
    public async Task RefuseTokenAsync()
    {
        await Group.Sandbox.AddFaultAsync(new SandboxFault("status") { Status = 401 });
        using var refused = await Replica.GetAsync("00000000-0000-4000-8000-000000000003");
    }

    /// <summary>Sends a long poll that ends with the final state.</summary>
    private async Task WaitAsync(string id)
    {
        await Group.Sandbox.SetStateAsync(id, "processing");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}");
        request.Headers.Add("Prefer", "wait=20");
        var waiting = Replica.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(async () => await Group.Sandbox.CountAsync(id) > 0, () => "The upstream got no request.");
        await Group.Sandbox.SetStateAsync(id, "completed");
        using var response = await waiting;
    }

    public async ValueTask DisposeAsync()
    {
        await Group.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
