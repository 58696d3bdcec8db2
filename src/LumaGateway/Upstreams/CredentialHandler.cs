using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Adds the upstream token to a request, and throws if the request is not for the origin of <c>Luma:BaseAddress</c>. No other class adds the token. If
/// two tokens are configured and one is rejected with 401, sends the request once with the other. This is safe for creates too, because an upstream that
/// responds with 401 has created nothing.
/// </summary>
internal sealed class CredentialHandler(
    UpstreamDialect dialect, UpstreamTokenSource tokens, IOptions<LumaOptions> options, UpstreamMetrics metrics) : DelegatingHandler
{
    /// <summary>The largest body while two tokens are configured: it is buffered for the second attempt.</summary>
    private const long MaxBodyBytes = 64 * 1024 * 1024;

    private readonly Uri _root = options.Value.Root;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { } address
            || address.Port != _root.Port || address.Scheme != _root.Scheme || !address.Host.Equals(_root.Host, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException("The upstream token is sent to the upstream only.");
        }

        var current = tokens.Current;
        if (current.Secondary is null)
        {
            return await SendAsync(request, current.Primary, cancellationToken);
        }

        if (request.Content is { } body)
        {
            await body.LoadIntoBufferAsync(MaxBodyBytes, cancellationToken);
        }

        var (preferred, other) = current.InPreferredOrder();
        var response = await SendAsync(request, preferred, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.Unauthorized)
        {
            return response;
        }

        response.Dispose();
        response = await SendAsync(request, other, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.Unauthorized)
        {
            current.Prefer(other);
            metrics.RecordTokenFallback();
        }

        return response;
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string token, CancellationToken cancellationToken)
    {
        var (header, value) = dialect.Configured.Credential(token);
        request.Headers.Remove(header);
        request.Headers.TryAddWithoutValidation(header, value);
        return base.SendAsync(request, cancellationToken);
    }
}
