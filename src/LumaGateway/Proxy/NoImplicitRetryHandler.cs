using System.Net;

namespace LumaGateway.Proxy;

/// <summary>
/// Keeps the HTTP client from repeating a POST or PATCH: a request without a body is sent once more, unasked, when its pooled connection breaks before
/// the answer, even if the upstream has read it. One with a body, though empty, is not (SocketsHttpHandler, <c>HttpConnection.SendAsync</c>). Notes in
/// <see cref="SendProgress"/> when the sending begins.
/// </summary>
internal sealed class NoImplicitRetryHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Method != HttpMethod.Post && request.Method != HttpMethod.Patch)
        {
            return await base.SendAsync(request, cancellationToken);
        }

        var content = request.Content ?? new ByteArrayContent([]);
        request.Options.TryGetValue(SendProgress.Key, out var sending);
        request.Content = new NotingContent(content, sending);
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            request.Content = content; // it may be sent again with another token
        }
    }

    /// <summary>The client asks for the body once it has a connection and has written the headers: until then the upstream has no request.</summary>
    private sealed class NotingContent : HttpContent
    {
        private readonly HttpContent _content;
        private readonly SendProgress? _sending;

        public NotingContent(HttpContent content, SendProgress? sending)
        {
            (_content, _sending) = (content, sending);
            foreach (var (name, values) in content.Headers.NonValidated)
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            _sending?.Begin();
            return _content.CopyToAsync(stream, context, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _content.Headers.ContentLength ?? 0;
            return _content.Headers.ContentLength is not null;
        }
    }
}

/// <summary>Request feature, and option of the request to the upstream: whether anything of it can have reached the upstream. Thread-safe.</summary>
internal sealed class SendProgress
{
    public static readonly HttpRequestOptionsKey<SendProgress> Key = new("luma-gateway.sending");

    private volatile bool _hasBegun;

    public bool HasBegun => _hasBegun;

    public void Begin() => _hasBegun = true;
}
