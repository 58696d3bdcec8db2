namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Applies faults to Redis, one at a time. At the end of each, both servers and the Sentinel run again.</summary>
internal sealed class RedisFaults(ChaosSystem system, TimeProvider clock)
{
    /// <summary>The longest time that replicas need to use Redis again after a fault.</summary>
    private static readonly TimeSpan ReconnectTime = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly List<(long From, long Until)> _losses = [];
    private long _stableFrom = long.MinValue;

    /// <summary>Whether Redis has had no fault for long enough that every replica uses it.</summary>
    public bool IsStable => clock.GetTimestamp() >= Volatile.Read(ref _stableFrom);

    /// <summary>Whether <see cref="IsStable"/> has been true since that time.</summary>
    public bool WasStableSince(long timestamp) => timestamp >= Volatile.Read(ref _stableFrom);

    /// <summary>Whether a failover may have lost writes within this time. A new master lacks writes that were not replicated.</summary>
    public bool MayHaveLostWrites(long from, long until)
    {
        lock (_gate)
        {
            return _losses.Exists(loss => from <= loss.Until && until >= loss.From);
        }
    }

    public async Task ApplyAsync(PlannedFault fault)
    {
        Volatile.Write(ref _stableFrom, long.MaxValue);
        var started = clock.GetTimestamp();
        if (fault.Kind is not (FaultKind.RedisIsFull or FaultKind.RedisRefusesWrites))
        {
            AddLossWindow(started, long.MaxValue);
        }

        await (fault.Kind switch
        {
            FaultKind.RedisIsKilled => KillAsync(fault, await system.Redis.MasterAsync()),
            FaultKind.RedisIsDown => KillAsync(fault, [.. system.Redis.Servers]),
            FaultKind.RedisIsPaused => PauseAsync(fault),
            FaultKind.RedisFailsOver => FailOverAsync(fault),
            FaultKind.RedisIsFull => FillAsync(fault),
            FaultKind.RedisRefusesWrites => RefuseAsync(fault),
            _ => throw new ArgumentOutOfRangeException(nameof(fault)),
        });
        await system.Redis.WaitForReplicationAsync();

        var stableFrom = clock.GetTimestamp() + (long)(ReconnectTime.TotalSeconds * clock.TimestampFrequency);
        if (fault.Kind is not (FaultKind.RedisIsFull or FaultKind.RedisRefusesWrites))
        {
            AddLossWindow(started, stableFrom);
        }

        Volatile.Write(ref _stableFrom, stableFrom);
    }

    private async Task KillAsync(PlannedFault fault, params RedisServer[] servers)
    {
        foreach (var server in servers)
        {
            server.Kill();
        }

        await Wait.ForAsync(fault.Duration);
        foreach (var server in servers)
        {
            await system.Redis.RestartAsReplicaAsync(server);
        }
    }

    private async Task PauseAsync(PlannedFault fault)
    {
        var master = await system.Redis.MasterAsync();
        master.Pause();
        await Wait.ForAsync(fault.Duration);
        master.Resume();
    }

    private async Task FailOverAsync(PlannedFault fault)
    {
        await system.Redis.FailOverAsync();
        await Wait.ForAsync(fault.Duration);
    }

    private async Task FillAsync(PlannedFault fault)
    {
        var master = await system.Redis.MasterAsync();
        await master.FillAsync();
        await Wait.ForAsync(fault.Duration);
        await master.RemoveMemoryLimitAsync();
    }

    private async Task RefuseAsync(PlannedFault fault)
    {
        const string Setting = "min-replicas-to-write";
        var master = await system.Redis.MasterAsync();
        await master.ExecuteAsync("CONFIG", "SET", Setting, "9");
        await Wait.ForAsync(fault.Duration);
        await master.ExecuteAsync("CONFIG", "SET", Setting, "0");
    }

    private void AddLossWindow(long from, long until)
    {
        lock (_gate)
        {
            _losses.RemoveAll(loss => loss.From == from);
            _losses.Add((from, until));
        }
    }
}
