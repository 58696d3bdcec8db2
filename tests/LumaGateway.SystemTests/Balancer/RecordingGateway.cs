using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>
/// Stands where a gateway would, and keeps the very bytes that a load balancer sends it, Latin-1, one text a connection, once it has ended. Answers each
/// first request, or hangs up instead. A look at its health is answered, and not kept.
/// </summary>
internal sealed class RecordingGateway : IAsyncDisposable
{
    private const string Healthy = "GET /health/ready ";
    private static readonly byte[] Answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"u8.ToArray();

    private readonly ConcurrentQueue<string> _received = new();
    private readonly bool _hangsUp;
    private readonly LoopbackListener _listener;

    public RecordingGateway(bool hangsUp = false)
    {
        _hangsUp = hangsUp;
        _listener = new LoopbackListener(ServeAsync);
    }

    public int Port => _listener.Port;

    public IReadOnlyCollection<string> Received => _received;

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(TcpClient connection, CancellationToken end)
    {
        var received = new StringBuilder();
        try
        {
            await TalkAsync(connection.GetStream(), received, end);
        }
        finally
        {
            if (received.Length > 0 && !IsOfHealth(received))
            {
                _received.Enqueue(received.ToString());
            }
        }
    }

    private async Task TalkAsync(NetworkStream stream, StringBuilder received, CancellationToken end)
    {
        var buffer = new byte[16 * 1024];
        var isAnswered = false;
        while (await stream.ReadAsync(buffer, end) is > 0 and var length)
        {
            received.Append(Encoding.Latin1.GetString(buffer, 0, length));
            if (isAnswered || !IsWhole(received.ToString()))
            {
                continue;
            }

            if (_hangsUp && !IsOfHealth(received))
            {
                return;
            }

            await stream.WriteAsync(Answer, end);
            isAnswered = true;
        }
    }

    private static bool IsOfHealth(StringBuilder received) => received.ToString().StartsWith(Healthy, StringComparison.Ordinal);

    /// <summary>As far as it has to be known in order to answer: balancers send no body in other forms than these.</summary>
    private static bool IsWhole(string received) => received.Split("\r\n\r\n", 2) is [var head, var body]
        && (!head.Contains("transfer-encoding:", StringComparison.OrdinalIgnoreCase) || body.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        && (!head.Contains("content-length: 5", StringComparison.OrdinalIgnoreCase) || body.Length >= 5);
}
