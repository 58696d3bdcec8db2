using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>A caller of a long poll or event stream. Uses a socket, because thousands of HTTP client requests would measure the CPU of the test.</summary>
internal sealed class Waiter : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static async Task<Waiter> ConnectAsync(Uri replica, string path, string? prefer = null, string? lastEventId = null)
    {
        var waiter = new Waiter();
        await waiter._socket.ConnectAsync(IPAddress.Loopback, replica.Port, TestContext.Current.CancellationToken);
        var header = (prefer is null ? "" : $"Prefer: {prefer}\r\n") + (lastEventId is null ? "" : $"Last-Event-ID: {lastEventId}\r\n");
        await waiter._socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {replica.Authority}\r\n{header}\r\n"), TestContext.Current.CancellationToken);
        return waiter;
    }

    /// <summary>Waits for a state, and returns when it arrived; null if the connection ended before.</summary>
    public async Task<DateTimeOffset?> UntilAsync(string state) =>
        await TextUntilAsync(state) is null ? null : TimeProvider.System.GetUtcNow();

    /// <summary>Waits for a state, and returns the text until it; null if the connection ended before.</summary>
    public async Task<string?> TextUntilAsync(string state)
    {
        var expected = $"\"state\":\"{state}\"";
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var length)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, length));
                if (text.ToString().Contains(expected, StringComparison.Ordinal))
                {
                    return text.ToString();
                }
            }
        }
        catch (SocketException)
        {
            // The replica closed the connection.
        }

        return null;
    }

    /// <summary>Reads once: the head of a response, or the next event.</summary>
    public async Task<string> ReadAsync()
    {
        var buffer = new byte[4096];
        var length = await _socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    public void Dispose() => _socket.Dispose();

    public static string Milliseconds(TimeSpan time) => time.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + " ms";
}
