namespace LumaGateway.Problems;

/// <summary>Why a request was refused. A feature of the request, for whoever writes the answer.</summary>
/// <param name="Detail">In words for its caller; null where the problem's own words say it.</param>
/// <param name="Reason">Where the status does not say it.</param>
internal sealed record Denial(string? Detail, RefusalReason? Reason = null);
