using System.Globalization;

namespace LumaGateway.SystemTests.Observability;

/// <summary>A gateway with a management port, Redis and an upstream, to which one thing of each kind has happened.</summary>
internal sealed class WatchedGateway : IAsyncDisposable
{
    private readonly RedisServer _redis;

    private WatchedGateway(RedisServer redis, Fleet fleet, int port) => (_redis, Fleet, Port) = (redis, fleet, port);

    public Fleet Fleet { get; }

    public GatewayProcess Replica => Fleet.Replicas[0];

    /// <summary>The management port.</summary>
    public int Port { get; }

    public Uri Management => new($"http://127.0.0.1:{Port}");

    public static async Task<WatchedGateway> StartAsync(params (string Key, string Value)[] settings)
    {
        var redis = await RedisServer.StartAsync();
        try
        {
            return await FreePort.UseAsync(async port => new WatchedGateway(
                redis,
                await Fleet.StartAsync(
                    1, redis.Endpoint, [("Management:Port", port.ToString(CultureInfo.InvariantCulture)), ("Luma:RetryDelay", "00:00:00.01"), .. settings]),
                port));
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Hits, misses, a wait, a refusal, retries, faults, and an id that nobody knows.</summary>
    public async Task GiveItALifeAsync()
    {
        var sandbox = Fleet.Sandbox;
        for (var i = 0; i < 5; i++)
        {
            await Replica.ReadAsync(SandboxProcess.SampleId);
        }

        using var stranger = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Replica.Address };
        stranger.DefaultRequestHeaders.Add("X-Api-Key", "of nobody");
        using var refused = await stranger.GetAsync(new Uri("/generations/a", UriKind.Relative), TestContext.Current.CancellationToken);

        await sandbox.BreakAsync(new SandboxFault("status") { Status = 500, Count = 4 });
        using var failed = await Replica.GetAsync("00000000-0000-4000-8000-000000000001");
        using var unknown = await Replica.GetAsync("00000000-0000-4000-8000-000000000002");
        await sandbox.MendAsync();
        await WaitAsync(Guid.NewGuid().ToString());
    }

    /// <summary>An upstream that refuses the gateway's token, seen by one caller.</summary>
    public async Task RefuseTokenAsync()
    {
        await Fleet.Sandbox.BreakAsync(new SandboxFault("status") { Status = 401 });
        using var refused = await Replica.GetAsync("00000000-0000-4000-8000-000000000003");
    }

    /// <summary>A caller who waits for a generation to end, which it does.</summary>
    private async Task WaitAsync(string id)
    {
        await Fleet.Sandbox.MoveAsync(id, "processing");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}");
        request.Headers.Add("Prefer", "wait=20");
        var waiting = Replica.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(async () => await Fleet.Sandbox.CountAsync(id) > 0, () => "Nobody asked.");
        await Fleet.Sandbox.MoveAsync(id, "completed");
        using var answer = await waiting;
    }

    public async ValueTask DisposeAsync()
    {
        await Fleet.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
