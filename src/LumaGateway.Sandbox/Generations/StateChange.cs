namespace LumaGateway.Sandbox.Generations;

/// <summary>From <paramref name="At"/> on, the generation is in <paramref name="State"/>.</summary>
internal sealed record StateChange(GenerationState State, DateTimeOffset At);
