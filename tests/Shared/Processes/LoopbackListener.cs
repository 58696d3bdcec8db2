using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Accepts connections on a free loopback port. Disposal cancels all handlers, closes the port and waits for the handlers, so that their exceptions fail the
/// test.
/// </summary>
internal sealed class LoopbackListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _serving = [];
    private readonly Func<TcpClient, CancellationToken, Task> _serve;
    private readonly Task _accepting;

    /// <param name="serve">Handles one connection, which is then closed. The other side may close it first.</param>
    public LoopbackListener(Func<TcpClient, CancellationToken, Task> serve)
    {
        _serve = serve;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Waits for the end of one direction of a tunnel, closes both sides, and waits for the other direction.</summary>
    public static async Task EndTogetherAsync(TcpClient one, TcpClient other, Task there, Task back)
    {
        await Task.WhenAny(there, back);
        one.Close();
        other.Close();
        await Task.WhenAll(there, back);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_serving); // no more connections are accepted
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var connection = await _listener.AcceptTcpClientAsync(_end.Token);
                _serving.RemoveAll(task => task.IsCompletedSuccessfully);
                _serving.Add(ServeAsync(connection));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // Disposed, or the client closed the connection before it was accepted.
            }
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        try
        {
            using (connection)
            {
                connection.NoDelay = true;
                await _serve(connection, _end.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
            // One side closed the connection.
        }
    }
}
