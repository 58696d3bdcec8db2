namespace LumaGateway.Tests.Simulation;

/// <summary>A process of a simulation: a replica, or the outside world. A dead process runs nothing more.</summary>
internal sealed class SimulatedProcess(string name)
{
    public string Name => name;

    /// <summary>How much the wall clock of the process is ahead.</summary>
    public TimeSpan ClockOffset { get; init; }

    public bool IsDead { get; set; }

    public TimeSpan PausedUntil { get; set; }
}

/// <summary>Posts continuations of a process to the scheduler.</summary>
internal sealed class SimulationContext(SimulationScheduler scheduler, SimulatedProcess process) : SynchronizationContext
{
    /// <summary>The step that the context was made for.</summary>
    public int Step { get; } = scheduler.Step;

    public SimulatedProcess Process => process;

    public override void Post(SendOrPostCallback d, object? state) => scheduler.Post(this, d, state);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException();

    public override SynchronizationContext CreateCopy() => this;
}
