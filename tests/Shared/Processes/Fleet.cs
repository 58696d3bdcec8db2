using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Replicas of the gateway, as separate processes, in front of one sandbox, sharing one Redis or none.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private static readonly string[] Rights = ["read", "raw", "create", "delete", "assets", "purge"];

    private readonly Dictionary<string, string> _settings;
    private readonly List<GatewayProcess> _replicas = [];
    private readonly bool _ownsSandbox;

    private Fleet(SandboxProcess sandbox, bool ownsSandbox, Dictionary<string, string> settings) => (Sandbox, _ownsSandbox, _settings) = (sandbox, ownsSandbox, settings);

    public SandboxProcess Sandbox { get; }

    public IReadOnlyList<GatewayProcess> Replicas => _replicas;

    /// <param name="replicas">How many.</param>
    /// <param name="redis">The connection string; null for memory alone.</param>
    /// <param name="settings">Settings that differ from a fleet's usual ones.</param>
    public static async Task<Fleet> StartAsync(int replicas, string? redis, params (string Key, string Value)[] settings) =>
        await StartAsync(await SandboxProcess.StartAsync(), ownsSandbox: true, replicas, redis, settings);

    /// <summary>In front of a sandbox that others use too, and that outlives the fleet: each test takes ids of its own.</summary>
    public static Task<Fleet> StartAsync(SandboxProcess sandbox, int replicas, string? redis, params (string Key, string Value)[] settings) =>
        StartAsync(sandbox, ownsSandbox: false, replicas, redis, settings);

    /// <summary>What the settings hold of a client's key.</summary>
    public static string DigestOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>What a gateway needs to stand in front of the sandbox.</summary>
    public static Dictionary<string, string> SettingsFor(SandboxProcess sandbox, string? redis)
    {
        var settings = new Dictionary<string, string>
        {
            ["Luma:BaseAddress"] = new Uri(sandbox.Address, "luma").AbsoluteUri,
            ["Luma:ApiKey"] = SandboxProcess.Token,
            ["Luma:Name"] = "sandbox",
            ["Access:AllowAnonymous"] = "true",
            ["Access:Clients:0:Name"] = "system-tests",
            ["Access:Clients:0:KeySha256"] = DigestOf(GatewayProcess.ClientKey),
            ["ConnectionStrings:Redis"] = redis ?? string.Empty,

            // What is measured here is the gateway, not its limits.
            ["Limits:RequestsPerSecond"] = "0",
            ["Limits:Concurrency"] = "0",
        };
        for (var i = 0; i < Rights.Length; i++)
        {
            settings[$"Access:Clients:0:Rights:{i}"] = Rights[i];
        }

        return settings;
    }

    /// <summary>One more replica, which may be added beside others; set up like the others but for <paramref name="settings"/>.</summary>
    public async Task<GatewayProcess> AddAsync(params (string Key, string Value)[] settings)
    {
        var own = new Dictionary<string, string>(_settings);
        foreach (var (key, value) in settings)
        {
            own[key] = value;
        }

        var replica = await GatewayProcess.StartAsync(own);
        lock (_replicas)
        {
            _replicas.Add(replica);
        }

        return replica;
    }

    /// <summary>Starts a replica that has ended anew, where it was.</summary>
    public async Task<GatewayProcess> ReplaceAsync(GatewayProcess ended)
    {
        var own = new Dictionary<string, string>(ended.Settings) { ["ASPNETCORE_URLS"] = ended.Address.GetLeftPart(UriPartial.Authority) };
        await ended.DisposeAsync();
        return _replicas[_replicas.IndexOf(ended)] = await GatewayProcess.StartAsync(own);
    }

    /// <summary>Ends all replicas and starts as many anew: what they knew by heart is gone.</summary>
    public async Task RestartAsync()
    {
        var count = _replicas.Count;
        await StopReplicasAsync();
        _replicas.AddRange(await Task.WhenAll(Enumerable.Range(0, count).Select(_ => GatewayProcess.StartAsync(_settings))));
    }

    public async ValueTask DisposeAsync()
    {
        await StopReplicasAsync();
        if (_ownsSandbox)
        {
            await Sandbox.DisposeAsync();
        }
    }

    private static async Task<Fleet> StartAsync(SandboxProcess sandbox, bool ownsSandbox, int replicas, string? redis, (string Key, string Value)[] settings)
    {
        var fleet = new Fleet(sandbox, ownsSandbox, SettingsFor(sandbox, redis));
        foreach (var (key, value) in settings)
        {
            fleet._settings[key] = value;
        }

        try
        {
            fleet._replicas.AddRange(await Task.WhenAll(Enumerable.Range(0, replicas).Select(_ => GatewayProcess.StartAsync(fleet._settings))));
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    private async Task StopReplicasAsync()
    {
        await Task.WhenAll(_replicas.Select(replica => replica.DisposeAsync().AsTask()));
        _replicas.Clear();
    }
}
