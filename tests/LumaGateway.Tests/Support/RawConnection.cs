using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Support;

/// <summary>A TCP connection, for requests that an HTTP client cannot send.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>Sends a text as Latin-1: one byte for each character.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _socket.SendAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>Closes the sending direction.</summary>
    public void Finish() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Reads until the server closes the connection; null if it does not within <see cref="Poll.Timeout"/>.</summary>
    public async Task<string?> ReadToEndAsync()
    {
        using var timeout = new CancellationTokenSource(Poll.Timeout, TimeProvider.System);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, TestContext.Current.CancellationToken);
        var response = new StringBuilder();
        var buffer = new byte[16 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer, cancellation.Token) is > 0 and var read)
            {
                response.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // A reset: returns the bytes before it.
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return null;
        }

        return response.ToString();
    }

    public void Dispose() => _socket.Dispose();
}
