namespace LumaGateway.Upstreams;

/// <summary>Holds a place at <see cref="UpstreamConcurrencyLimiter"/> until the answer begins, for exchanges whose body a slow caller reads at its own pace.</summary>
internal sealed class ConcurrencyHandler(UpstreamConcurrencyLimiter gate) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var place = await gate.EnterAsync(cancellationToken);
        return await base.SendAsync(request, cancellationToken);
    }
}
