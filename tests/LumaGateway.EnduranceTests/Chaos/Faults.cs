using System.Collections.Concurrent;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Applies the faults of a plan and reverts them, each at its time.</summary>
internal sealed class Faults(ChaosSystem system, Findings findings, TimeProvider clock)
{
    /// <summary>A replica drops a signed message whose time differs by more, to prevent replays.</summary>
    private static readonly TimeSpan MessageAge = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<FaultKind, int> _applied = new();
    private readonly UpstreamFaults _upstream = new(system, findings);
    private readonly ReplicaFaults _replicas = new(system, findings);

    public RedisFaults Redis { get; } = new(system, clock);

    public SharedFaults Shared { get; } = new(system, clock);

    public TokenFaults Token { get; } = new(system);

    /// <summary>The number of applied faults of each kind.</summary>
    public IReadOnlyDictionary<FaultKind, int> Applied => _applied;

    /// <summary>Completes when the last fault is reverted.</summary>
    public Task ApplyAsync(IEnumerable<PlannedFault> plan)
    {
        var started = clock.GetTimestamp();
        return Task.WhenAll(plan.GroupBy(fault => fault.Lane).Select(lane => ApplyAsync(lane, started)));
    }

    /// <summary>Applies each fault at its time, or later if the previous fault takes longer than planned.</summary>
    private async Task ApplyAsync(IEnumerable<PlannedFault> lane, long started)
    {
        foreach (var fault in lane)
        {
            if (fault.Start - clock.GetElapsedTime(started) is var wait && wait > TimeSpan.Zero)
            {
                await Wait.ForAsync(wait);
            }

            await ApplyAsync(fault);
        }
    }

    private async Task ApplyAsync(PlannedFault fault)
    {
        _applied.AddOrUpdate(fault.Kind, 1, (_, count) => count + 1);
        await (fault.Kind switch
        {
            <= FaultKind.UpstreamConnectionsAreClosed => _upstream.ApplyAsync(fault),
            <= FaultKind.RedisIsDown => Redis.ApplyAsync(fault),
            <= FaultKind.ReplicaIsRestarted => _replicas.ApplyAsync(fault),
            FaultKind.TokenIsRotated => Token.SetTokenAsync(fault),
            FaultKind.ClockJumps when system.IsSigned && TimeSpan.FromSeconds(Math.Abs(fault.Size)) > MessageAge => Shared.WithMessageLossAsync(() => JumpAsync(fault)),
            FaultKind.ClockJumps => JumpAsync(fault),
            _ => Shared.ApplyAsync(fault),
        });
    }

    private async Task JumpAsync(PlannedFault fault)
    {
        system.Clock?.Move(fault.Size);
        await Wait.ForAsync(fault.Duration);
        system.Clock?.Move(0);
    }
}
