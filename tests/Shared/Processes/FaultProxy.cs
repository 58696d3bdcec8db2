using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>A TCP proxy on a loopback port that delays data or closes connections.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly int _target;
    private readonly LoopbackListener _listener;
    private CancellationTokenSource _connections = new();
    private long _delayTicks;

    private FaultProxy(int target)
    {
        _target = target;
        _listener = new LoopbackListener(ServeAsync);
    }

    public int Port => _listener.Port;

    public string Endpoint => $"127.0.0.1:{Port}";

    /// <summary>The delay of data from the server to the client.</summary>
    public TimeSpan Delay
    {
        get => new(Volatile.Read(ref _delayTicks));
        set => Volatile.Write(ref _delayTicks, value.Ticks);
    }

    public static FaultProxy To(int port) => new(port);

    /// <summary>Closes all connections. The old token source is not disposed, because a starting connection may still use it.</summary>
    public void CloseConnections() => Interlocked.Exchange(ref _connections, new CancellationTokenSource()).Cancel();

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(TcpClient client, CancellationToken end)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Volatile.Read(ref _connections).Token, end);
        using var server = new TcpClient { NoDelay = true };
        await server.ConnectAsync(IPAddress.Loopback, _target, over.Token);
        await LoopbackListener.EndTogetherAsync(
            client,
            server,
            client.GetStream().CopyToAsync(server.GetStream(), over.Token),
            CopyDelayedAsync(server.GetStream(), client.GetStream(), over.Token));
    }

    /// <summary>Delays each chunk by the same time, without limiting the bandwidth.</summary>
    private async Task CopyDelayedAsync(NetworkStream from, NetworkStream to, CancellationToken over)
    {
        var clock = TimeProvider.System;
        var last = Task.CompletedTask;
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, over) is > 0 and var length)
            {
                var chunk = buffer.AsMemory(0, length).ToArray();
                var wait = Delay;
                last = SendAsync(last, wait > TimeSpan.Zero ? Task.Delay(wait, clock, over) : Task.CompletedTask, chunk);
            }
        }
        finally
        {
            await last;
        }

        async Task SendAsync(Task before, Task due, byte[] chunk)
        {
            await before;
            await due;
            await to.WriteAsync(chunk, over);
        }
    }
}
