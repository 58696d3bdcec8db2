using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace LumaGateway.LongPolling;

/// <summary>
/// Writes server-sent events (WHATWG HTML, section 9.2) and, which the framework's own writer cannot, comments. Every write is sent at once. For one
/// writer at a time.
/// </summary>
internal sealed class EventWriter(HttpResponse response, CancellationToken gone)
{
    public const string ContentType = "text/event-stream";

    private readonly PipeWriter _pipe = response.BodyWriter;

    /// <summary>Sends the headers, and a comment, so that whatever stands between lets the stream through.</summary>
    public async Task BeginAsync()
    {
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // nginx would hold it back
        await response.StartAsync(gone); // what is written before the start costs Kestrel a buffer of 4 KiB until the end
        await CommentAsync();
    }

    public ValueTask<FlushResult> CommentAsync()
    {
        _pipe.Write(":\n\n"u8);
        return _pipe.FlushAsync(gone);
    }

    /// <summary>Tells the client how long to wait before it comes again.</summary>
    public ValueTask<FlushResult> RetryAsync(TimeSpan wait)
    {
        Write($"retry: {(long)wait.TotalMilliseconds}\n\n");
        return _pipe.FlushAsync(gone);
    }

    /// <param name="kind">The event's name.</param>
    /// <param name="id">What the client sends as <c>Last-Event-ID</c> when it comes again.</param>
    /// <param name="json">One line of UTF-8.</param>
    public ValueTask<FlushResult> EventAsync(string kind, string id, ReadOnlySpan<byte> json)
    {
        Write($"event: {kind}\nid: {id}\ndata: ");
        _pipe.Write(json);
        _pipe.Write("\n\n"u8);
        return _pipe.FlushAsync(gone);
    }

    private void Write(string text)
    {
        var length = Encoding.UTF8.GetBytes(text, _pipe.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));
        _pipe.Advance(length);
    }
}
