using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>
/// Prevents implicit retries of POST and PATCH. SocketsHttpHandler sends a request without a content again if its pooled connection closes before the response,
/// even if the upstream has read the request (<c>HttpConnection.SendAsync</c>). It does not retry a request with a content, even an empty one. Records in
/// <see cref="SendProgress"/> that sending has started.
/// </summary>
internal sealed class NoImplicitRetryHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Method == HttpMethod.Post || request.Method == HttpMethod.Patch ? SendTrackedAsync(request, cancellationToken) : base.SendAsync(request, cancellationToken);

    private async Task<HttpResponseMessage> SendTrackedAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var content = request.Content ?? new ByteArrayContent([]);
        request.Options.TryGetValue(SendProgress.Key, out var progress);
        request.Content = new TrackedContent(content, progress);
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            request.Content = content; // CredentialHandler may send the request again with a new token
        }
    }

    /// <summary>Reports when the client writes the body. The client has connected and written the headers by then; before, the upstream has received nothing.</summary>
    private sealed class TrackedContent : HttpContent
    {
        private readonly HttpContent _content;
        private readonly SendProgress? _progress;

        public TrackedContent(HttpContent content, SendProgress? progress)
        {
            (_content, _progress) = (content, progress);
            foreach (var (name, values) in content.Headers.NonValidated)
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            _progress?.Start();
            return _content.CopyToAsync(stream, context, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _content.Headers.ContentLength ?? 0;
            return _content.Headers.ContentLength is not null;
        }
    }
}

/// <summary>Whether the upstream may have received any byte of a request. A feature of the incoming request and an option of the outgoing one. Thread-safe.</summary>
internal sealed class SendProgress
{
    public static readonly HttpRequestOptionsKey<SendProgress> Key = new("luma-gateway.send-progress");

    private volatile bool _hasStarted;

    public bool HasStarted => _hasStarted;

    public void Start() => _hasStarted = true;

    /// <summary>The upstream has rejected the request with 401, and it is sent once more.</summary>
    public void Reset() => _hasStarted = false;
}
