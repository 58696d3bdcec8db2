using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace LumaGateway.LongPolling;

/// <summary>
/// Writes server-sent events (WHATWG HTML, section 9.2) and comments, which the framework's own writer does not support. Flushes after every
/// write. Not thread-safe.
/// </summary>
internal sealed class EventWriter(HttpResponse response, CancellationToken aborted)
{
    public const string ContentType = "text/event-stream";

    private readonly PipeWriter _pipe = response.BodyWriter;

    public bool HasStarted { get; private set; }

    /// <summary>Sends the headers, and a comment, so that proxies forward the response at once. Repeated calls have no effect.</summary>
    public async ValueTask StartAsync()
    {
        if (HasStarted)
        {
            return;
        }

        HasStarted = true;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no"; // turns off response buffering in nginx
        await response.StartAsync(aborted); // without it, Kestrel keeps a buffer of 4 KiB until the stream ends
        await WriteCommentAsync();
    }

    public async ValueTask WriteCommentAsync()
    {
        _pipe.Write(":\n\n"u8);
        await _pipe.FlushAsync(aborted);
    }

    /// <summary>Sets the client's reconnection time.</summary>
    public ValueTask<FlushResult> WriteRetryAsync(TimeSpan reconnectAfter)
    {
        Write($"retry: {(long)reconnectAfter.TotalMilliseconds}\n\n");
        return _pipe.FlushAsync(aborted);
    }

    /// <param name="name">The event's name.</param>
    /// <param name="id">What the client sends as <c>Last-Event-ID</c> when it reconnects.</param>
    /// <param name="json">One line of UTF-8.</param>
    public ValueTask<FlushResult> WriteEventAsync(string name, string id, ReadOnlySpan<byte> json)
    {
        Write($"event: {name}\nid: {id}\ndata: ");
        _pipe.Write(json);
        _pipe.Write("\n\n"u8);
        return _pipe.FlushAsync(aborted);
    }

    private void Write(string text)
    {
        var length = Encoding.UTF8.GetBytes(text, _pipe.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));
        _pipe.Advance(length);
    }
}
