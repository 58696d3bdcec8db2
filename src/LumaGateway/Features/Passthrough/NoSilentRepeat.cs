namespace LumaGateway.Features.Passthrough;

/// <summary>
/// Keeps the HTTP client from repeating a POST: a request without a body is sent once more, unasked, when its pooled connection breaks before
/// the answer, even if the upstream has read it. One with a body, though empty, is not (SocketsHttpHandler, <c>HttpConnection.SendAsync</c>).
/// </summary>
internal sealed class NoSilentRepeat(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Method == HttpMethod.Post)
        {
            request.Content ??= new ByteArrayContent([]);
        }

        return base.SendAsync(request, cancellationToken);
    }
}
