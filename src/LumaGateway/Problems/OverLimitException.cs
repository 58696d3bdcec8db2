namespace LumaGateway.Problems;

/// <summary>A client exceeds one of its limits after its request was admitted. It becomes a 429 <c>rate_limited</c>, and is audited.</summary>
/// <param name="reason">The limit.</param>
/// <param name="retryAfter">When to retry.</param>
internal sealed class OverLimitException(RefusalReason reason, TimeSpan retryAfter) : Exception("The client exceeds one of its limits.")
{
    public RefusalReason Reason => reason;

    public TimeSpan RetryAfter => retryAfter;
}
