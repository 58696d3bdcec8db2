using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>A TCP proxy on a loopback port that delays, withholds or cuts what passes through it. What passes is not looked at.</summary>
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

    /// <summary>How long each piece on its way back is held up.</summary>
    public TimeSpan Delay
    {
        get => new(Volatile.Read(ref _delayTicks));
        set => Volatile.Write(ref _delayTicks, value.Ticks);
    }

    public static FaultProxy To(int port) => new(port);

    /// <summary>Cuts every connection there is. The source is not disposed of: a connection that begins just now may still ask for its token.</summary>
    public void Drop() => Interlocked.Exchange(ref _connections, new CancellationTokenSource()).Cancel();

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
            CopyLateAsync(server.GetStream(), client.GetStream(), over.Token));
    }

    /// <summary>Each piece leaves its time after it came, however many are on their way: a slow road, not a narrow one.</summary>
    private async Task CopyLateAsync(NetworkStream from, NetworkStream to, CancellationToken over)
    {
        var clock = TimeProvider.System;
        var last = Task.CompletedTask;
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, over) is > 0 and var length)
            {
                var piece = buffer.AsMemory(0, length).ToArray();
                var wait = Delay;
                last = SendAsync(last, wait > TimeSpan.Zero ? Task.Delay(wait, clock, over) : Task.CompletedTask, piece);
            }
        }
        finally
        {
            await last;
        }

        async Task SendAsync(Task before, Task due, byte[] piece)
        {
            await before;
            await due;
            await to.WriteAsync(piece, over);
        }
    }
}
