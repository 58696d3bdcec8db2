using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// The one place that puts the upstream token into a request, and only into one to the origin of <c>Luma:BaseAddress</c>. While two tokens are
/// known and one is refused with 401, the other is tried once: a 401 says that nothing was done, so that this holds for creates too.
/// </summary>
internal sealed class CredentialHandler(
    UpstreamDialect dialect, TokenSource tokens, IOptions<LumaOptions> options, UpstreamMetrics metrics) : DelegatingHandler
{
    /// <summary>The largest body sent while two tokens are known: it must be at hand for a second try.</summary>
    private const long MaxBodyBytes = 64 * 1024 * 1024;

    private readonly Uri _root = options.Value.Root;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { } address
            || Uri.Compare(address, _root, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) != 0)
        {
            throw new InvalidOperationException("The upstream token goes to the upstream alone.");
        }

        var known = tokens.Current;
        if (known.Second is null)
        {
            return await SendAsync(request, known.First, cancellationToken);
        }

        if (request.Content is { } body)
        {
            await body.LoadIntoBufferAsync(MaxBodyBytes, cancellationToken);
        }

        var (preferred, other) = known.InOrder();
        var response = await SendAsync(request, preferred, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.Unauthorized)
        {
            return response;
        }

        response.Dispose();
        response = await SendAsync(request, other, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.Unauthorized)
        {
            known.Prefer(other);
            metrics.FellBackOnToken();
        }

        return response;
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string token, CancellationToken cancellationToken)
    {
        var (header, value) = dialect.Chosen.Credential(token);
        request.Headers.Remove(header);
        request.Headers.TryAddWithoutValidation(header, value);
        return base.SendAsync(request, cancellationToken);
    }
}
