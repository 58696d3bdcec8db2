using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Kestrel's socket transport, with ports that can be closed while the server still serves open connections. Kestrel itself closes ports and connections
/// in one step. A request that a load balancer has just sent on a new connection is lost then: nginx responds to a POST with 502.
/// </summary>
internal sealed class DrainingTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>Longer than the round trip to a load balancer.</summary>
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromMilliseconds(100);

    /// <summary>How long open connections are served after the ports are closed.</summary>
    private static readonly TimeSpan GracePeriod = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(1);
    private const int MaxPolls = 1000;

    /// <summary>More than the work items on the thread pool between accepting a connection and reading its first request.</summary>
    private const int WorkItems = 32;

    private readonly ConcurrentQueue<IConnectionListener> _listeners = new();
    private readonly ConcurrentQueue<Socket> _sockets = new();
    private readonly TimeProvider _clock;
    private readonly SocketTransportFactory _transport;

    public DrainingTransport(IOptions<SocketTransportOptions> options, TimeProvider clock, ILoggerFactory loggers)
    {
        _clock = clock;
        var bind = options.Value.CreateBoundListenSocket;
        options.Value.CreateBoundListenSocket = endpoint =>
        {
            var socket = bind(endpoint);
            _sockets.Enqueue(socket);
            return socket;
        };
        _transport = new SocketTransportFactory(options, loggers);
    }

    public bool CanBind(EndPoint endpoint) => _transport.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = await _transport.BindAsync(endpoint, cancellationToken);
        _listeners.Enqueue(listener);
        return listener;
    }

    /// <summary>Closes the ports, then waits one second while open connections are served.</summary>
    public async Task DrainAsync()
    {
        foreach (var socket in _sockets)
        {
            SynFilter.Attach(socket);
        }

        await Task.Delay(HandshakeTime, _clock); // then the connections that have begun are in the backlog
        foreach (var socket in _sockets)
        {
            await WaitUntilBacklogIsEmptyAsync(socket);
        }

        foreach (var listener in _listeners)
        {
            await listener.UnbindAsync(); // Kestrel unbinds again during shutdown, which has no effect
        }

        await Task.Delay(GracePeriod, _clock);
        for (var i = 0; i < WorkItems; i++)
        {
            await WaitForThreadPoolAsync();
        }
    }

    /// <summary>Waits until the thread pool has run its queue. A timer fires earlier: a busy pool may read no request during the grace period.</summary>
    private static Task WaitForThreadPoolAsync()
    {
        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ThreadPool.UnsafeQueueUserWorkItem(static completion => completion.SetResult(), completion, preferLocal: false);
        return completion.Task;
    }

    /// <summary>Waits until Kestrel has accepted every connection in the backlog: closing the port resets the connections that remain there.</summary>
    private async Task WaitUntilBacklogIsEmptyAsync(Socket socket)
    {
        try
        {
            for (var i = 0; i < MaxPolls && socket.Poll(TimeSpan.Zero, SelectMode.SelectRead); i++)
            {
                await Task.Delay(PollInterval, _clock);
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
        {
            // The port is already closed, for example because a certificate was renewed.
        }
    }
}
