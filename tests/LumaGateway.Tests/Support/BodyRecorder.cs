using System.Collections.Concurrent;
using System.Text;

namespace LumaGateway.Tests.Support;

/// <summary>Records the bodies of requests, which it reads as a connection does.</summary>
internal sealed class BodyRecorder(HttpMessageHandler inner, ConcurrentQueue<string> bodies) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is { } content)
        {
            using var sent = new MemoryStream();
            await content.CopyToAsync(sent, cancellationToken);
            bodies.Enqueue(Encoding.UTF8.GetString(sent.ToArray()));
        }

        var response = await base.SendAsync(request, cancellationToken);
        response.RequestMessage = request;
        return response;
    }
}
