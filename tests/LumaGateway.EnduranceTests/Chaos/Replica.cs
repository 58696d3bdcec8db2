namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>One replica across its restarts. Reads are thread-safe; faults must not overlap.</summary>
internal sealed class Replica(int number, IReadOnlyDictionary<string, string> settings, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>Longer than the shutdown of a gateway takes.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(45);

    private readonly List<GatewayProcess> _processes = [];
    private volatile GatewayProcess? _gateway;
    private long _noFaultSince = long.MaxValue;

    public int Number => number;

    /// <summary>The name and address of the running process; null if none runs.</summary>
    public (string Name, Uri Address)? Current => _gateway is { } gateway ? ($"{number}.{Starts}", gateway.Address) : null;

    public int Starts => _processes.Count;

    public int ManagementPort { get; private set; }

    public GatewayProcess Gateway => _gateway ?? throw new InvalidOperationException($"Replica {number} does not run.");

    /// <summary>The output of all its processes.</summary>
    public string Log => string.Join('\n', _processes.Select(gateway => gateway.Log));

    /// <summary>Whether the replica has had no fault since that time.</summary>
    public bool HadNoFaultSince(long timestamp) => timestamp >= Volatile.Read(ref _noFaultSince);

    public async Task StartAsync()
    {
        ManagementPort = FreePort.Reserve(); // a new port at each start, because another program may have taken the old one
        var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(settings) { ["Management:Port"] = $"{ManagementPort}" });
        _processes.Add(gateway);
        _gateway = gateway;
        Volatile.Write(ref _noFaultSince, clock.GetTimestamp());
    }

    public void Kill()
    {
        MarkFault();
        Gateway.Process.Kill();
        _gateway = null;
    }

    public void Pause()
    {
        MarkFault();
        Gateway.Process.Pause();
    }

    public void Resume()
    {
        Gateway.Process.Resume();
        Volatile.Write(ref _noFaultSince, clock.GetTimestamp());
    }

    /// <summary>Returns the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        MarkFault();
        var gateway = Gateway;
        gateway.Process.Terminate();
        _gateway = null;
        return await gateway.Process.WaitForExitAsync(ShutdownTimeout);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _processes)
        {
            await gateway.DisposeAsync();
        }
    }

    private void MarkFault() => Volatile.Write(ref _noFaultSince, long.MaxValue);
}
