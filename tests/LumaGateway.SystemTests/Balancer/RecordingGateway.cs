using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>
/// A server in place of a gateway that records the bytes of a load balancer, as one Latin-1 text for each closed connection. It responds to the first request of a
/// connection, or closes it. It does not record health checks.
/// </summary>
internal sealed class RecordingGateway : IAsyncDisposable
{
    private const string Healthy = "GET /health/ready ";
    private static readonly byte[] Response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"u8.ToArray();

    private readonly ConcurrentQueue<string> _received = new();
    private readonly bool _closesConnection;
    private readonly LoopbackListener _listener;

    public RecordingGateway(bool closesConnection = false)
    {
        _closesConnection = closesConnection;
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
            await HandleAsync(connection.GetStream(), received, end);
        }
        finally
        {
            if (received.Length > 0 && !IsHealthCheck(received))
            {
                _received.Enqueue(received.ToString());
            }
        }
    }

    private async Task HandleAsync(NetworkStream stream, StringBuilder received, CancellationToken end)
    {
        var buffer = new byte[16 * 1024];
        var hasResponded = false;
        while (await stream.ReadAsync(buffer, end) is > 0 and var length)
        {
            received.Append(Encoding.Latin1.GetString(buffer, 0, length));
            if (hasResponded || !IsComplete(received.ToString()))
            {
                continue;
            }

            if (_closesConnection && !IsHealthCheck(received))
            {
                return;
            }

            await stream.WriteAsync(Response, end);
            hasResponded = true;
        }
    }

    private static bool IsHealthCheck(StringBuilder received) => received.ToString().StartsWith(Healthy, StringComparison.Ordinal);

    /// <summary>Whether the request is complete. Checks only the two forms of bodies that balancers send.</summary>
    private static bool IsComplete(string received) => received.Split("\r\n\r\n", 2) is [var head, var body]
        && (!head.Contains("transfer-encoding:", StringComparison.OrdinalIgnoreCase) || body.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        && (!head.Contains("content-length: 5", StringComparison.OrdinalIgnoreCase) || body.Length >= 5);
}
