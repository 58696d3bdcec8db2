
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What goes wrong with Redis. One at a time; two servers and a Sentinel remain to be put in order when it ends.</summary>
internal sealed class RedisFaults(ChaosSystem system, TimeProvider clock)
{
    /// <summary>So long after a fault ended, replicas may still be on their way back to Redis.</summary>
    private static readonly TimeSpan WayBack = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly List<(long From, long Until)> _losses = [];
    private long _peaceFrom = long.MinValue;

    /// <summary>Whether Redis has been well for so long that every replica uses it.</summary>
    public bool IsAtPeace => clock.GetTimestamp() >= Volatile.Read(ref _peaceFrom);

    /// <summary>Whether Redis has been well since then, and <see cref="IsAtPeace"/> was so at that time.</summary>
    public bool WasAtPeaceSince(long timestamp) => timestamp >= Volatile.Read(ref _peaceFrom);

    /// <summary>Whether, in this time, a master may have taken in what the next one does not know: the limit of every failover.</summary>
    public bool MayHaveForgotten(long from, long until)
    {
        lock (_gate)
        {
            return _losses.Exists(loss => from <= loss.Until && until >= loss.From);
        }
    }

    public async Task ThrowAsync(PlannedFault fault)
    {
        Volatile.Write(ref _peaceFrom, long.MaxValue);
        var begun = clock.GetTimestamp();
        if (fault.Kind is not (FaultKind.RedisIsFull or FaultKind.RedisRefusesWrites))
        {
            Note(begun, long.MaxValue);
        }

        await (fault.Kind switch
        {
            FaultKind.RedisIsKilled => KillAsync(fault, await system.Redis.MasterAsync()),
            FaultKind.RedisIsGone => KillAsync(fault, [.. system.Redis.Servers]),
            FaultKind.RedisIsPaused => PauseAsync(fault),
            FaultKind.RedisFailsOver => FailOverAsync(fault),
            FaultKind.RedisIsFull => FillAsync(fault),
            FaultKind.RedisRefusesWrites => RefuseAsync(fault),
            _ => throw new ArgumentOutOfRangeException(nameof(fault)),
        });
        await system.Redis.WaitForReplicationAsync();

        var peace = clock.GetTimestamp() + (long)(WayBack.TotalSeconds * clock.TimestampFrequency);
        if (fault.Kind is not (FaultKind.RedisIsFull or FaultKind.RedisRefusesWrites))
        {
            Note(begun, peace);
        }

        Volatile.Write(ref _peaceFrom, peace);
    }

    private async Task KillAsync(PlannedFault fault, params RedisServer[] servers)
    {
        foreach (var server in servers)
        {
            server.Kill();
        }

        await Wait.ForAsync(fault.For);
        foreach (var server in servers)
        {
            await system.Redis.RestartAsReplicaAsync(server);
        }
    }

    private async Task PauseAsync(PlannedFault fault)
    {
        var master = await system.Redis.MasterAsync();
        master.Pause();
        await Wait.ForAsync(fault.For);
        master.Resume();
    }

    private async Task FailOverAsync(PlannedFault fault)
    {
        await system.Redis.FailOverAsync();
        await Wait.ForAsync(fault.For);
    }

    private async Task FillAsync(PlannedFault fault)
    {
        var master = await system.Redis.MasterAsync();
        await master.FillAsync();
        await Wait.ForAsync(fault.For);
        await master.RemoveMemoryLimitAsync();
    }

    private async Task RefuseAsync(PlannedFault fault)
    {
        const string Setting = "min-replicas-to-write";
        var master = await system.Redis.MasterAsync();
        await master.ExecuteAsync("CONFIG", "SET", Setting, "9");
        await Wait.ForAsync(fault.For);
        await master.ExecuteAsync("CONFIG", "SET", Setting, "0");
    }

    private void Note(long from, long until)
    {
        lock (_gate)
        {
            _losses.RemoveAll(loss => loss.From == from);
            _losses.Add((from, until));
        }
    }
}
