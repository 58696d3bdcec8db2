using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Replicas of the gateway as separate processes, with one sandbox as upstream, and one Redis or none.</summary>
internal sealed class ReplicaGroup : IAsyncDisposable
{
    private static readonly string[] Permissions = ["read", "raw", "create", "delete", "assets", "purge"];

    private readonly Dictionary<string, string> _settings;
    private readonly List<GatewayProcess> _replicas = [];
    private readonly bool _ownsSandbox;

    private ReplicaGroup(SandboxProcess sandbox, bool ownsSandbox, Dictionary<string, string> settings) => (Sandbox, _ownsSandbox, _settings) = (sandbox, ownsSandbox, settings);

    public SandboxProcess Sandbox { get; }

    public IReadOnlyList<GatewayProcess> Replicas => _replicas;

    /// <param name="replicas">The number of replicas.</param>
    /// <param name="redis">The connection string; null for no Redis.</param>
    /// <param name="settings">Settings that override the defaults.</param>
    public static async Task<ReplicaGroup> StartAsync(int replicas, string? redis, params (string Key, string Value)[] settings) =>
        await StartAsync(await SandboxProcess.StartAsync(), ownsSandbox: true, replicas, redis, settings);

    /// <summary>Uses a sandbox that other tests also use. Each test uses its own ids.</summary>
    public static Task<ReplicaGroup> StartAsync(SandboxProcess sandbox, int replicas, string? redis, params (string Key, string Value)[] settings) =>
        StartAsync(sandbox, ownsSandbox: false, replicas, redis, settings);

    /// <summary>The digest of a client's key for the settings.</summary>
    public static string DigestOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The settings of a gateway with the sandbox as upstream.</summary>
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

            // No limits.
            ["Limits:RequestsPerSecond"] = "0",
            ["Limits:Concurrency"] = "0",
        };
        for (var i = 0; i < Permissions.Length; i++)
        {
            settings[$"Access:Clients:0:Rights:{i}"] = Permissions[i];
        }

        return settings;
    }

    /// <summary>Adds a replica, with the settings of the others and <paramref name="settings"/>. Can run concurrently.</summary>
    public async Task<GatewayProcess> AddAsync(params (string Key, string Value)[] settings)
    {
        var replicaSettings = new Dictionary<string, string>(_settings);
        foreach (var (key, value) in settings)
        {
            replicaSettings[key] = value;
        }

        var replica = await GatewayProcess.StartAsync(replicaSettings);
        lock (_replicas)
        {
            _replicas.Add(replica);
        }

        return replica;
    }

    /// <summary>Restarts an ended replica on its address.</summary>
    public async Task<GatewayProcess> ReplaceAsync(GatewayProcess ended)
    {
        var replicaSettings = new Dictionary<string, string>(ended.Settings) { ["ASPNETCORE_URLS"] = ended.Address.GetLeftPart(UriPartial.Authority) };
        await ended.DisposeAsync();
        return _replicas[_replicas.IndexOf(ended)] = await GatewayProcess.StartAsync(replicaSettings);
    }

    /// <summary>Restarts all replicas, without the content of their memory.</summary>
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

    private static async Task<ReplicaGroup> StartAsync(SandboxProcess sandbox, bool ownsSandbox, int replicas, string? redis, (string Key, string Value)[] settings)
    {
        var group = new ReplicaGroup(sandbox, ownsSandbox, SettingsFor(sandbox, redis));
        foreach (var (key, value) in settings)
        {
            group._settings[key] = value;
        }

        try
        {
            group._replicas.AddRange(await Task.WhenAll(Enumerable.Range(0, replicas).Select(_ => GatewayProcess.StartAsync(group._settings))));
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    private async Task StopReplicasAsync()
    {
        await Task.WhenAll(_replicas.Select(replica => replica.DisposeAsync().AsTask()));
        _replicas.Clear();
    }
}
