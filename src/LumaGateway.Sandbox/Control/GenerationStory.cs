using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Control;

/// <summary>A generation's state now, and when it was or will be in which.</summary>
internal sealed record GenerationStory(string Id, GenerationState State, IReadOnlyList<StateChange> Changes);
