using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Kestrel's own socket transport, whose ports can be closed while the server still serves. Kestrel alone closes its ports and its connections in one step,
/// and a request that a load balancer has just sent on a new connection is lost: nginx answers a POST with 502 then.
/// </summary>
internal sealed class DrainingTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>How long requests on connections that are there already are served after the ports are closed.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(1);
    private const int MaxLooks = 1000;

    /// <summary>The steps on the thread pool from an accepted connection to its first request, amply.</summary>
    private const int Turns = 32;

    private readonly ConcurrentQueue<IConnectionListener> _listeners = new();
    private readonly ConcurrentQueue<Socket> _ports = new();
    private readonly TimeProvider _clock;
    private readonly SocketTransportFactory _sockets;

    public DrainingTransport(IOptions<SocketTransportOptions> options, TimeProvider clock, ILoggerFactory loggers)
    {
        _clock = clock;
        var bind = options.Value.CreateBoundListenSocket;
        options.Value.CreateBoundListenSocket = endpoint =>
        {
            var port = bind(endpoint);
            _ports.Enqueue(port);
            return port;
        };
        _sockets = new SocketTransportFactory(options, loggers);
    }

    public bool CanBind(EndPoint endpoint) => _sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = await _sockets.BindAsync(endpoint, cancellationToken);
        _listeners.Enqueue(listener);
        return listener;
    }

    /// <summary>Closes the ports, and returns after a second in which connections are served as before.</summary>
    public async Task DrainAsync()
    {
        foreach (var port in _ports)
        {
            await AcceptedAsync(port);
        }

        foreach (var listener in _listeners)
        {
            await listener.UnbindAsync(); // the server does it again, which does nothing
        }

        await Task.Delay(Grace, _clock);
        for (var turn = 0; turn < Turns; turn++)
        {
            await TurnAsync();
        }
    }

    /// <summary>Waits behind all that the thread pool has to do: a timer does not, and a busy pool may have read no request within the grace.</summary>
    private static Task TurnAsync()
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.SetResult(), turn, preferLocal: false);
        return turn.Task;
    }

    /// <summary>Waits until Kestrel has taken every connection that the system has accepted: those left are reset with the port.</summary>
    private async Task AcceptedAsync(Socket port)
    {
        try
        {
            for (var look = 0; look < MaxLooks && port.Poll(TimeSpan.Zero, SelectMode.SelectRead); look++)
            {
                await Task.Delay(BetweenLooks, _clock);
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
        {
            // The port is closed already: a certificate was renewed, for one.
        }
    }
}
