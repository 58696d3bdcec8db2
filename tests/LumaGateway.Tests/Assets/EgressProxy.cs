using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Assets;

/// <summary>
/// An HTTP proxy on a loopback port, of one request a connection. Whatever host it is asked for, it goes to one port on this machine: it resolves names as it likes, as
/// proxies do. Keeps the heads of what it was asked.
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

    /// <summary>What it asks for in <c>Proxy-Authorization</c>; null for nothing.</summary>
    public string? Credential { get; init; }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(CancellationToken.None);
                _ = PassAsync(client);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await PassAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // One side is gone.
            }
        }
    }

    private async Task PassAsync(NetworkStream near)
    {
        var head = await ReadHeadAsync(near);
        _heads.Enqueue(head);
        if (Credential is { } credential && !head.Contains($"Proxy-Authorization: {credential}\r\n", StringComparison.OrdinalIgnoreCase))
        {
            await near.WriteAsync("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"egress\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            return;
        }

        using var target = new TcpClient();
        await target.ConnectAsync(IPAddress.Loopback, _target);
        var far = target.GetStream();
        if (head.StartsWith("CONNECT ", StringComparison.Ordinal))
        {
            await near.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
        }
        else
        {
            // The absolute form becomes the path, and the connection is not kept.
            var line = head.Split(' ', 3);
            await far.WriteAsync(Encoding.Latin1.GetBytes($"{line[0]} {new Uri(line[1]).PathAndQuery} {line[2]}".Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal)));
        }

        await Task.WhenAny(near.CopyToAsync(far), far.CopyToAsync(near));
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
