namespace LumaGateway.Upstreams;

/// <summary>
/// Holds a lease of <see cref="UpstreamConcurrencyLimiter"/> until the response headers arrive. It does not wait for the body, because a slow caller may
/// read it slowly.
/// </summary>
internal sealed class ConcurrencyHandler(UpstreamConcurrencyLimiter limiter) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var lease = await limiter.AcquireAsync(cancellationToken);
        return await base.SendAsync(request, cancellationToken);
    }
}
