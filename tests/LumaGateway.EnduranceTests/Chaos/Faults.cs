using System.Collections.Concurrent;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Does a plan's faults to the system and undoes them, each at its time.</summary>
internal sealed class Faults(ChaosSystem system, Findings findings, TimeProvider clock)
{
    /// <summary>A signed message whose time differs by more is dropped, so that nobody can repeat it later.</summary>
    private static readonly TimeSpan MessageAge = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<FaultKind, int> _thrown = new();
    private readonly UpstreamFaults _upstream = new(system, findings);
    private readonly ReplicaFaults _replicas = new(system, findings);

    public RedisFaults Redis { get; } = new(system, clock);

    public SharedFaults Shared { get; } = new(system, clock);

    public TokenFaults Token { get; } = new(system);

    /// <summary>How many of each kind were thrown.</summary>
    public IReadOnlyDictionary<FaultKind, int> Thrown => _thrown;

    /// <summary>Ends when the last fault is undone.</summary>
    public Task ThrowAsync(IEnumerable<PlannedFault> plan)
    {
        var begun = clock.GetTimestamp();
        return Task.WhenAll(plan.GroupBy(fault => fault.Lane).Select(lane => ThrowAsync(lane, begun)));
    }

    /// <summary>Each at its time, or when the one before is undone, where that takes longer than was planned.</summary>
    private async Task ThrowAsync(IEnumerable<PlannedFault> lane, long begun)
    {
        foreach (var fault in lane)
        {
            if (fault.At - clock.GetElapsedTime(begun) is var wait && wait > TimeSpan.Zero)
            {
                await Wait.ForAsync(wait);
            }

            await ThrowAsync(fault);
        }
    }

    private async Task ThrowAsync(PlannedFault fault)
    {
        _thrown.AddOrUpdate(fault.Kind, 1, (_, count) => count + 1);
        await (fault.Kind switch
        {
            <= FaultKind.RoadIsCut => _upstream.ThrowAsync(fault),
            <= FaultKind.RedisIsGone => Redis.ThrowAsync(fault),
            <= FaultKind.ReplicaIsRestarted => _replicas.ThrowAsync(fault),
            FaultKind.TokenIsRotated => Token.SetTokenAsync(fault),
            FaultKind.ClockJumps when system.IsSigned && TimeSpan.FromSeconds(Math.Abs(fault.Size)) > MessageAge => Shared.LosingMessagesAsync(() => JumpAsync(fault)),
            FaultKind.ClockJumps => JumpAsync(fault),
            _ => Shared.ThrowAsync(fault),
        });
    }

    private async Task JumpAsync(PlannedFault fault)
    {
        system.Clock?.Move(fault.Size);
        await Wait.ForAsync(fault.For);
        system.Clock?.Move(0);
    }
}
