using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>One item of a batch: either <paramref name="Generation"/> or <paramref name="Problem"/> is not null.</summary>
/// <param name="Id">The requested id.</param>
/// <param name="Generation">The generation.</param>
/// <param name="Problem">Why it cannot be read. The other items are not affected.</param>
public sealed record GenerationResult(string Id, Generation? Generation, Problem? Problem);
