using System.Net;
using System.Net.Sockets;

namespace LumaGateway.SystemTests.Redis;

/// <summary>A TCP proxy that counts round trips: a client that sends after it got all its replies begins one. Commands of one pipeline are one round trip.</summary>
internal sealed class RoundTripProxy : IAsyncDisposable
{
    private readonly int _target;
    private readonly LoopbackListener _listener;
    private int _count;

    public RoundTripProxy(int target)
    {
        _target = target;
        _listener = new LoopbackListener(ServeAsync);
    }

    public string Endpoint => $"127.0.0.1:{_listener.Port}";

    /// <summary>The round trips of all connections since the last call.</summary>
    public int Take() => Interlocked.Exchange(ref _count, 0);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(TcpClient client, CancellationToken end)
    {
        using var server = new TcpClient { NoDelay = true };
        await server.ConnectAsync(IPAddress.Loopback, _target, end);
        var isWaiting = 0;
        await LoopbackListener.EndTogetherAsync(
            client,
            server,
            CopyAsync(client, server, () => Interlocked.Add(ref _count, Interlocked.Exchange(ref isWaiting, 1) is 0 ? 1 : 0), end),
            CopyAsync(server, client, () => Interlocked.Exchange(ref isWaiting, 0), end));
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to, Action onData, CancellationToken end)
    {
        var buffer = new byte[64 * 1024];
        while (await from.GetStream().ReadAsync(buffer, end) is > 0 and var length)
        {
            onData();
            await to.GetStream().WriteAsync(buffer.AsMemory(0, length), end);
        }
    }
}
