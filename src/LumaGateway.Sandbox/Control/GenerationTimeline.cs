using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Control;

/// <summary>The current state of a generation, and the times of its past and future states.</summary>
internal sealed record GenerationTimeline(string Id, GenerationState State, IReadOnlyList<StateChange> Changes);
