namespace LumaGateway.Contracts;

/// <summary>One of several ids that has no answer, in the place where its generation would be.</summary>
/// <param name="Id">The id as it was asked for.</param>
/// <param name="Problem">Why there is no answer.</param>
public sealed record BatchItem(string Id, Problem Problem);
