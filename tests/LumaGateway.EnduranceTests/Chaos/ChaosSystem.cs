
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Three replicas with the settings they are shipped with, behind them a Redis with its replica and Sentinel, and an upstream at the end of a
/// road that can be cut. The last replica runs under libfaketime where that is installed.
/// </summary>
internal sealed class ChaosSystem : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-chaos-");

    private ChaosSystem(SandboxProcess sandbox, FaultProxy road, RedisPair redis) => (Sandbox, Road, Redis) = (sandbox, road, redis);

    public SandboxProcess Sandbox { get; }

    public FaultProxy Road { get; }

    public RedisPair Redis { get; }

    public IReadOnlyList<Replica> Replicas { get; private set; } = [];

    /// <summary>Whether the replicas sign what they share through Redis.</summary>
    public bool IsSigned { get; private init; }

    /// <summary>Null where no clock can be moved.</summary>
    public FakeClock? Clock { get; private set; }

    /// <param name="isSigned">Whether the replicas have a signing key.</param>
    /// <param name="settings">Settings that differ from those it is shipped with, given the upstream and a folder to put files into.</param>
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

    /// <summary>As a careful operator does it: aside, then moved into place.</summary>
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
        await Road.DisposeAsync();
        await Sandbox.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartReplicasAsync(IEnumerable<(string Key, string Value)> differing)
    {
        await WriteTokensAsync(Secrets.Token(0));
        var settings = ReplicaGroup.SettingsFor(Sandbox, Redis.ConnectionString);
        settings.Remove("Luma:ApiKey");
        settings["Luma:ApiKeyFile"] = Path.Combine(_folder.FullName, "token");
        settings["Luma:BaseAddress"] = $"http://{Road.Endpoint}/luma";
        if (IsSigned)
        {
            settings["Cache:SigningKey"] = Secrets.SigningKey;
        }

        foreach (var (key, value) in differing)
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
