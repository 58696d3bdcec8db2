
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>One of the group's replicas, through all its deaths and rebirths. Thread-safe for who asks it; one at a time may disturb it.</summary>
internal sealed class Replica(int number, IReadOnlyDictionary<string, string> settings, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>Longer than the gateway may take to drain.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(45);

    private readonly List<GatewayProcess> _past = [];
    private volatile GatewayProcess? _gateway;
    private long _undisturbedSince = long.MaxValue;

    public int Number => number;

    /// <summary>Which process it is now, and where; null while there is none.</summary>
    public (string Name, Uri Address)? Now => _gateway is { } gateway ? ($"{number}.{Starts}", gateway.Address) : null;

    public int Starts => _past.Count;

    public int ManagementPort { get; private set; }

    public GatewayProcess Gateway => _gateway ?? throw new InvalidOperationException($"Replica {number} does not run.");

    /// <summary>All that its processes ever wrote.</summary>
    public string Log => string.Join('\n', _past.Select(gateway => gateway.Log));

    /// <summary>Whether nothing was done to it since then.</summary>
    public bool IsUndisturbedSince(long timestamp) => timestamp >= Volatile.Read(ref _undisturbedSince);

    public async Task StartAsync()
    {
        ManagementPort = FreePort.Reserve(); // anew each time: while it was dead, anybody may have taken the one it had
        var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(settings) { ["Management:Port"] = $"{ManagementPort}" });
        _past.Add(gateway);
        _gateway = gateway;
        Volatile.Write(ref _undisturbedSince, clock.GetTimestamp());
    }

    public void Kill()
    {
        Disturb();
        Gateway.Process.Kill();
        _gateway = null;
    }

    public void Stop()
    {
        Disturb();
        Gateway.Process.Pause();
    }

    public void Continue()
    {
        Gateway.Process.Resume();
        Volatile.Write(ref _undisturbedSince, clock.GetTimestamp());
    }

    /// <summary>Its exit code.</summary>
    public async Task<int> EndAsync()
    {
        Disturb();
        var gateway = Gateway;
        gateway.Process.Terminate();
        _gateway = null;
        return await gateway.Process.WaitForExitAsync(Drain);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _past)
        {
            await gateway.DisposeAsync();
        }
    }

    private void Disturb() => Volatile.Write(ref _undisturbedSince, long.MaxValue);
}
