namespace LumaGateway.Contracts;

/// <summary>A batch of generations, in the order of the ids in the request.</summary>
/// <param name="Generations">Each item is a <see cref="Generation"/> or a <see cref="BatchItem"/>.</param>
public sealed record GenerationBatch(IReadOnlyList<object> Generations);
