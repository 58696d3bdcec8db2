namespace LumaGateway.Problems;

/// <summary>
/// The one exception for an upstream that gave no usable answer. <see cref="Exception.Message"/> is for logs and must hold no
/// upstream body, host or token; callers get the fault's row of the problem table instead.
/// </summary>
internal sealed class UpstreamException(UpstreamFault fault, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>What went wrong.</summary>
    public UpstreamFault Fault { get; } = fault;

    /// <summary>How long the upstream asked to be left alone, if it did.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
