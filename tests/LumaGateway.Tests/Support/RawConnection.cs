using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Support;

/// <summary>Bytes to a port and back, for what no HTTP client would send.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>Sends a text as Latin-1, one byte a character, so that any byte can be written down.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _socket.SendAsync(bytes, TestContext.Current.CancellationToken);

    /// <summary>No more comes from this side.</summary>
    public void Finish() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>All that is answered until the other side closes; null where it does not close within <see cref="Pump.Patience"/>.</summary>
    public async Task<string?> ReadToEndAsync()
    {
        using var limit = new CancellationTokenSource(Pump.Patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, TestContext.Current.CancellationToken);
        var answer = new StringBuilder();
        var buffer = new byte[16 * 1024];
        try
        {
            while (await _socket.ReceiveAsync(buffer, either.Token) is > 0 and var read)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // Reset: what came before it counts.
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return null;
        }

        return answer.ToString();
    }

    public void Dispose() => _socket.Dispose();
}
