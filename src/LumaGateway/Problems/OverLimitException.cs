namespace LumaGateway.Problems;

/// <summary>A client that was let in asks for more than its limits allow. Answered as 429 <c>rate_limited</c> and audited.</summary>
/// <param name="reason">Which limit.</param>
/// <param name="wait">When to come back.</param>
internal sealed class OverLimitException(RefusalReason reason, TimeSpan wait) : Exception("The client is over one of its limits.")
{
    public RefusalReason Reason => reason;

    public TimeSpan Wait => wait;
}
