namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Three replicas with the default settings, a Redis master with a Redis replica and a Sentinel, and an upstream behind a proxy that can close
/// connections. The last replica runs under libfaketime if that is installed.
/// </summary>
internal sealed class ChaosSystem : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-chaos-");

    private ChaosSystem(SandboxProcess sandbox, FaultProxy upstreamProxy, RedisPair redis) => (Sandbox, UpstreamProxy, Redis) = (sandbox, upstreamProxy, redis);

    public SandboxProcess Sandbox { get; }

    public FaultProxy UpstreamProxy { get; }

    public RedisPair Redis { get; }

    public IReadOnlyList<Replica> Replicas { get; private set; } = [];

    /// <summary>Whether the replicas sign entries and messages in Redis.</summary>
    public bool IsSigned { get; private init; }

    /// <summary>Null if libfaketime is not installed.</summary>
    public FakeClock? Clock { get; private set; }

    /// <param name="isSigned">Whether the replicas have a signing key.</param>
    /// <param name="settings">Returns settings that override the defaults. The arguments are the upstream and a folder for files.</param>
    public static async Task<ChaosSystem> StartAsync(bool isSigned = true, Func<SandboxProcess, string, IEnumerable<(string Key, string Value)>>? settings = null)
    {
        var sandbox = await SandboxProcess.StartAsync("--Sandbox:QueuedFor", "00:00:01", "--Sandbox:ProcessingFor", "00:00:04", "--Sandbox:Token", Secrets.Token(0));
        var system = new ChaosSystem(sandbox, FaultProxy.To(sandbox.Address.Port), await RedisPair.StartAsync()) { IsSigned = isSigned };
        try
        {
            await system.StartReplicasAsync(settings?.Invoke(sandbox, system._folder.FullName) ?? []);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes a temporary file and moves it into place, so that no replica reads a partial file.</summary>
    public async Task WriteTokensAsync(params string[] tokens)
    {
        var file = Path.Combine(_folder.FullName, "token");
        await File.WriteAllLinesAsync($"{file}.new", tokens, TestContext.Current.CancellationToken);
        File.Move($"{file}.new", file, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in Replicas)
        {
            await replica.DisposeAsync();
        }

        await Redis.DisposeAsync();
        await UpstreamProxy.DisposeAsync();
        await Sandbox.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartReplicasAsync(IEnumerable<(string Key, string Value)> overrides)
    {
        await WriteTokensAsync(Secrets.Token(0));
        var settings = ReplicaGroup.SettingsFor(Sandbox, Redis.ConnectionString);
        settings.Remove("Luma:ApiKey");
        settings["Luma:ApiKeyFile"] = Path.Combine(_folder.FullName, "token");
        settings["Luma:BaseAddress"] = $"http://{UpstreamProxy.Endpoint}/luma";
        if (IsSigned)
        {
            settings["Cache:SigningKey"] = Secrets.SigningKey;
        }

        foreach (var (key, value) in overrides)
        {
            settings[key] = value;
        }

        Clock = FakeClock.TryCreate(_folder.FullName);
        Replicas = [.. Enumerable.Range(0, FaultPlan.ReplicaCount).Select(number => new Replica(
            number, number == FaultPlan.ReplicaWithClock ? WithClock(settings) : settings, TimeProvider.System))];
        await Task.WhenAll(Replicas.Select(replica => replica.StartAsync()));
    }

    private Dictionary<string, string> WithClock(Dictionary<string, string> settings) => Clock is null ? settings : new(settings.Concat(Clock.Environment));
}
