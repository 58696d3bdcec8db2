namespace LumaGateway.Problems;

/// <summary>
/// The only exception for a failed upstream request. <see cref="Exception.Message"/> is logged, and must contain no body, host or token of the upstream. Callers
/// get the problem kind of the fault.
/// </summary>
internal sealed class UpstreamException(UpstreamFault fault, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public UpstreamFault Fault { get; } = fault;

    /// <summary>The upstream's <c>Retry-After</c>; null if it sent none.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
