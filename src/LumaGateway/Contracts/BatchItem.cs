namespace LumaGateway.Contracts;

/// <summary>An item of a batch that failed, in the place of its generation.</summary>
/// <param name="Id">The id in the request.</param>
/// <param name="Problem">The problem.</param>
public sealed record BatchItem(string Id, Problem Problem);
