using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Assets;

/// <summary>
/// An HTTP proxy on a loopback port that serves one request a connection. It resolves every host to one port on this machine. It records the request heads.
/// </summary>
internal sealed class EgressProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly int _target;

    public EgressProxy(int target)
    {
        _target = target;
        _listener.Start();
        _ = ServeAsync();
    }

    public IReadOnlyList<string> Heads => [.. _heads];

    public string Authority => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>The required value of <c>Proxy-Authorization</c>; null if none is required.</summary>
    public string? Credential { get; init; }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(CancellationToken.None);
                _ = ForwardAsync(client);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await ForwardAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // One side has closed the connection.
            }
        }
    }

    private async Task ForwardAsync(NetworkStream client)
    {
        var head = await ReadHeadAsync(client);
        _heads.Enqueue(head);
        if (Credential is { } credential && !head.Contains($"Proxy-Authorization: {credential}\r\n", StringComparison.OrdinalIgnoreCase))
        {
            await client.WriteAsync("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"egress\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            return;
        }

        using var target = new TcpClient();
        await target.ConnectAsync(IPAddress.Loopback, _target);
        var server = target.GetStream();
        if (head.StartsWith("CONNECT ", StringComparison.Ordinal))
        {
            await client.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
        }
        else
        {
            // A server expects the path instead of the absolute form.
            var line = head.Split(' ', 3);
            await server.WriteAsync(Encoding.Latin1.GetBytes($"{line[0]} {new Uri(line[1]).PathAndQuery} {line[2]}".Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal)));
        }

        await Task.WhenAny(client.CopyToAsync(server), server.CopyToAsync(client));
    }

    private static async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) > 0)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
