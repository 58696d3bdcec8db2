namespace LumaGateway.Contracts;

/// <summary>Several generations at once, in the order in which they were asked for.</summary>
/// <param name="Generations">Each is a generation, or an id with its problem.</param>
public sealed record GenerationBatch(IReadOnlyList<object> Generations);
