using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Control;

/// <summary>The body of <c>PUT /sandbox/generations/{id}</c>.</summary>
internal sealed record StateRequest(GenerationState State);
