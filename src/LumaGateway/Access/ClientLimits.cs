namespace LumaGateway.Access;

/// <summary>The limits of one client. <see cref="LimitsOptions"/> describes each.</summary>
internal sealed record ClientLimits(int RequestsPerSecond, int Burst, int Concurrency, int UpstreamCost)
{
    /// <summary>The headers that tell clients their rate; null without a limit.</summary>
    public RateLimitHeaders? Headers { get; } = RequestsPerSecond > 0 ? new RateLimitHeaders(RequestsPerSecond, Burst) : null;
}
