namespace LumaGateway.Upstreams;

/// <summary>
/// Holds a lease of the account's <see cref="UpstreamConcurrencyLimiter"/> until the response headers arrive. It does not wait for the body, because a slow caller may
/// read it slowly.
/// </summary>
internal sealed class ConcurrencyHandler(UpstreamAccount account) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var lease = await account.Limiter.AcquireAsync(cancellationToken);
        return await base.SendAsync(request, cancellationToken);
    }
}
