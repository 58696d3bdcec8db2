using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Accepts connections on a loopback port of the system's choice. When it is disposed of, it first cancels what it serves, then closes its port and waits
/// until every connection is served: a fault of the test's own code comes out there.
/// </summary>
internal sealed class LoopbackListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _serving = [];
    private readonly Func<TcpClient, CancellationToken, Task> _serve;
    private readonly Task _accepting;

    /// <param name="serve">Serves one connection, which is closed afterwards. That the other side closes it first is no fault.</param>
    public LoopbackListener(Func<TcpClient, CancellationToken, Task> serve)
    {
        _serve = serve;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Waits until one direction of a tunnel has ended, closes both sides, and waits for the other direction.</summary>
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
        await Task.WhenAll(_serving); // complete: nothing is accepted any more
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
                // It is over, or a caller went away before it was accepted.
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
            // One of both sides ended it.
        }
    }
}
