using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>A TCP proxy on a loopback port that delays, withholds or cuts what passes through it. What passes is not looked at.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _target;
    private readonly Task _accepting;
    private CancellationTokenSource _connections = new();
    private long _delayTicks;

    private FaultProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Endpoint => $"127.0.0.1:{Port}";

    /// <summary>How long each piece on its way back is held up.</summary>
    public TimeSpan Delay
    {
        get => new(Volatile.Read(ref _delayTicks));
        set => Volatile.Write(ref _delayTicks, value.Ticks);
    }

    public static FaultProxy To(int port) => new(port);

    /// <summary>Cuts every connection there is.</summary>
    public void Drop()
    {
        using var dropped = Interlocked.Exchange(ref _connections, new CancellationTokenSource());
        dropped.Cancel();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        Drop();
        await _accepting;
        _end.Dispose();
        _connections.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token), _connections.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken dropped)
    {
        try
        {
            using (client)
            {
                using var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                await server.ConnectAsync(IPAddress.Loopback, _target, dropped);
                await Task.WhenAny(
                    client.GetStream().CopyToAsync(server.GetStream(), dropped),
                    CopyLateAsync(server.GetStream(), client.GetStream(), dropped));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException)
        {
            // Either end has gone; so does the other.
        }
    }

    /// <summary>Each piece leaves its time after it came, however many are on their way: a slow road, not a narrow one.</summary>
    private async Task CopyLateAsync(NetworkStream from, NetworkStream to, CancellationToken dropped)
    {
        var clock = TimeProvider.System;
        var last = Task.CompletedTask;
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, dropped) is > 0 and var length)
        {
            var piece = buffer.AsMemory(0, length).ToArray();
            var wait = Delay;
            last = SendAsync(last, wait > TimeSpan.Zero ? Task.Delay(wait, clock, dropped) : Task.CompletedTask, piece);
        }

        await last;

        async Task SendAsync(Task before, Task due, byte[] piece)
        {
            await before;
            await due;
            await to.WriteAsync(piece, dropped);
        }
    }
}
