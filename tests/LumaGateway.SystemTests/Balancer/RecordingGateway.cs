using System.Collections.Concurrent;
using System.Net;
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

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<string> _received = new();
    private readonly bool _hangsUp;
    private readonly Task _accepting;

    public RecordingGateway(bool hangsUp = false)
    {
        _hangsUp = hangsUp;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public IReadOnlyCollection<string> Received => _received;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        var received = new StringBuilder();
        try
        {
            using (connection)
            {
                var stream = connection.GetStream();
                var buffer = new byte[16 * 1024];
                var isAnswered = false;
                while (await stream.ReadAsync(buffer) is > 0 and var length)
                {
                    received.Append(Encoding.Latin1.GetString(buffer, 0, length));
                    if (isAnswered || !IsWhole(received.ToString()))
                    {
                        continue;
                    }

                    if (_hangsUp && !IsOfHealth())
                    {
                        Keep();
                        return;
                    }

                    await stream.WriteAsync(Answer);
                    isAnswered = true;
                }
            }
        }
        catch (IOException)
        {
            // The other side ended it.
        }

        Keep();

        void Keep()
        {
            if (received.Length > 0 && !IsOfHealth())
            {
                _received.Enqueue(received.ToString());
            }
        }

        bool IsOfHealth() => received.ToString().StartsWith(Healthy, StringComparison.Ordinal);
    }

    /// <summary>As far as it has to be known in order to answer: balancers send no body in other forms than these.</summary>
    private static bool IsWhole(string received) => received.Split("\r\n\r\n", 2) is [var head, var body]
        && (!head.Contains("transfer-encoding:", StringComparison.OrdinalIgnoreCase) || body.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        && (!head.Contains("content-length: 5", StringComparison.OrdinalIgnoreCase) || body.Length >= 5);
}
