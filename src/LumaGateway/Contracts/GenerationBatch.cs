namespace LumaGateway.Contracts;

/// <summary>A batch of generations.</summary>
/// <param name="Generations">The items, in the order of the ids in the request.</param>
public sealed record GenerationBatch(IReadOnlyList<BatchItem> Generations);
