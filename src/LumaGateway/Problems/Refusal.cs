namespace LumaGateway.Problems;

/// <summary>Request feature: details of a refused request for <see cref="ProblemWriter"/>.</summary>
/// <param name="Detail">The problem's detail; null for the default of its kind.</param>
/// <param name="Reason">The reason, if the status is ambiguous.</param>
internal sealed record Refusal(string? Detail, RefusalReason? Reason = null);
