namespace LumaGateway.Contracts;

/// <summary>An item of a batch. Exactly one of <paramref name="Generation"/> and <paramref name="Problem"/> is not null.</summary>
/// <param name="Id">The id in the request.</param>
/// <param name="Generation">The generation; null if it cannot be read.</param>
/// <param name="Problem">Why the generation cannot be read; null if it can.</param>
public sealed record BatchItem(string Id, Generation? Generation, Problem? Problem);
