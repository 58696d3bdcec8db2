using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>An egress proxy on a loopback port that opens tunnels (<c>CONNECT</c>) to any host, and records the requests. Thread-safe.</summary>
internal sealed class TunnelProxy : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly bool _isOpen;
    private readonly LoopbackListener _listener;

    private TunnelProxy(bool isOpen)
    {
        _isOpen = isOpen;
        _listener = new LoopbackListener(ServeAsync);
    }

    public int Port => _listener.Port;

    /// <summary>The heads of all requests.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public static TunnelProxy Accepting() => new(isOpen: true);

    /// <summary>Creates a proxy that rejects all credentials with 407.</summary>
    public static TunnelProxy Rejecting() => new(isOpen: false);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(TcpClient client, CancellationToken end)
    {
        var stream = client.GetStream();
        var head = await ReadHeadAsync(stream, end);
        _requests.Enqueue(head);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(_isOpen
            ? "HTTP/1.1 200 Connection established\r\n\r\n"
            : "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"egress\"\r\nContent-Length: 0\r\n\r\n"), end);
        if (_isOpen)
        {
            var target = new Uri($"tcp://{head.Split(' ')[1]}");
            using var server = new TcpClient();
            await server.ConnectAsync(target.Host, target.Port, end);
            await LoopbackListener.EndTogetherAsync(
                client, server, stream.CopyToAsync(server.GetStream(), end), server.GetStream().CopyToAsync(stream, end));
        }
    }

    /// <summary>Reads up to the empty line, and no byte after it.</summary>
    private static async Task<string> ReadHeadAsync(NetworkStream stream, CancellationToken end)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, end) > 0)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
