using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>
/// Adds an account's token to a request, and throws if the request is not for the origin of the account. No other class adds the token. If
/// two tokens are configured and one is rejected with 401, sends the request once with the other. This is safe for creates too, because an upstream that
/// responds with 401 has created nothing.
/// </summary>
internal sealed class CredentialHandler(UpstreamAccount account) : DelegatingHandler
{
    /// <summary>The largest body that is sent again with the other token, in bytes: it is buffered. A larger one is sent once, with the preferred token.</summary>
    private const long MaxBodyBytes = 64 * 1024 * 1024;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { } address
            || address.Port != account.Root.Port || address.Scheme != account.Root.Scheme || !address.Host.Equals(account.Root.Host, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException("The upstream token is sent to its own upstream only.");
        }

        var current = account.Tokens.Current;
        return current.Secondary is null
            ? SendAsync(request, current.Primary, cancellationToken)
            : SendWithEitherAsync(request, current, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendWithEitherAsync(HttpRequestMessage request, UpstreamTokens current, CancellationToken cancellationToken)
    {
        var (preferred, other) = current.InPreferredOrder();
        if (request.Content is { } body)
        {
            if (body.Headers.ContentLength > MaxBodyBytes)
            {
                return await SendAsync(request, preferred, cancellationToken);
            }

            await body.LoadIntoBufferAsync(MaxBodyBytes, cancellationToken);
        }

        var response = await SendAsync(request, preferred, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.Unauthorized)
        {
            return response;
        }

        response.Dispose();
        if (request.Options.TryGetValue(SendProgress.Key, out var progress))
        {
            progress.Reset();
        }

        response = await SendAsync(request, other, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.Unauthorized)
        {
            current.Prefer(other);
            account.Metrics.RecordTokenFallback();
        }

        return response;
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string token, CancellationToken cancellationToken)
    {
        var (header, value) = account.Dialect.Credential(token);
        request.Headers.Remove(header);
        request.Headers.TryAddWithoutValidation(header, value);
        return base.SendAsync(request, cancellationToken);
    }
}
