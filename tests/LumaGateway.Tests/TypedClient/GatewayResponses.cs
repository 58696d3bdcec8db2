using System.Net;
using System.Text;

namespace LumaGateway.Tests.TypedClient;

/// <summary>Responses of a gateway, for scripts.</summary>
internal static class GatewayResponses
{
    public static string GenerationOf(string state) => $$"""{"id":"g1","state":"{{state}}"}""";

    public static string EventOf(string state) => $":\n\nevent: generation\nid: {state[0]}\ndata: {GenerationOf(state)}\n\n";

    /// <summary>An event of a stream of several generations.</summary>
    public static string EventOf(string eventId, string id, string state) => $"event: generation\nid: {eventId}\ndata: {{\"id\":\"{id}\",\"state\":\"{state}\"}}\n\n";

    public static string ProblemEventOf(string eventId, string id) =>
        $"event: problem\nid: {eventId}\ndata: {{\"id\":\"{id}\",\"generation\":null,\"problem\":{{\"status\":404,\"code\":\"generation_not_found\"}}}}\n\n";

    public static HttpResponseMessage WithRetryAfter(HttpResponseMessage response, int seconds)
    {
        response.Headers.RetryAfter = new(TimeSpan.FromSeconds(seconds));
        return response;
    }

    public static HttpResponseMessage ProblemOf(int status, string code, int? retryAfter = null)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StringContent($$"""{"type":"t","title":"t","status":{{status}},"code":"{{code}}","request_id":"r1"}""", Encoding.UTF8, "application/problem+json"),
        };
        return retryAfter is { } seconds ? WithRetryAfter(response, seconds) : response;
    }

    public static HttpResponseMessage StreamOf(string events, bool isCut = false, bool isSilent = false)
    {
        var content = new StreamContent(new Body(events, isCut, isSilent));
        content.Headers.ContentType = new("text/event-stream");
        return new HttpResponseMessage { Content = content };
    }

    /// <summary>A body that ends, breaks off or sends nothing more after its text.</summary>
    public sealed class Body(string text, bool isCut, bool isSilent) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        private readonly CancellationTokenSource _disposed = new();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            if (read == 0 && isSilent)
            {
                using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token); // as a connection, whose disposal ends a pending read
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, linked.Token);
            }

            return read > 0 || !isCut ? read : throw new IOException("connection reset");
        }

        protected override void Dispose(bool disposing)
        {
            _disposed.Cancel();
            base.Dispose(disposing);
        }
    }
}
