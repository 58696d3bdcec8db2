using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>An egress proxy on a loopback port that opens tunnels (<c>CONNECT</c>), wherever to, and keeps what it was sent before they opened. Thread-safe.</summary>
internal sealed class TunnelProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly bool _isOpen;
    private readonly Task _accepting;

    private TunnelProxy(bool isOpen)
    {
        _isOpen = isOpen;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The heads of all requests.</summary>
    public IReadOnlyCollection<string> Asked => _asked;

    public static TunnelProxy Open() => new(isOpen: true);

    /// <summary>One that lets nobody through: 407, whatever credentials it is sent.</summary>
    public static TunnelProxy Closed() => new(isOpen: false);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                var head = await ReadHeadAsync(stream);
                _asked.Enqueue(head);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(_isOpen
                    ? "HTTP/1.1 200 Connection established\r\n\r\n"
                    : "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"egress\"\r\nContent-Length: 0\r\n\r\n"), _end.Token);
                if (_isOpen)
                {
                    var target = new Uri($"tcp://{head.Split(' ')[1]}");
                    using var server = new TcpClient();
                    await server.ConnectAsync(target.Host, target.Port, _end.Token);
                    await Task.WhenAny(stream.CopyToAsync(server.GetStream(), _end.Token), server.GetStream().CopyToAsync(stream, _end.Token));
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException)
        {
            // Either end has gone; so does the other.
        }
    }

    /// <summary>To the empty line and not a byte further.</summary>
    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _end.Token) > 0)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
