using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>Resolves a host name. Replaced in tests.</summary>
internal delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>
/// Connects to a listed host, but only to an address that it may be at. The address that was checked is the one that is connected to: there is
/// no second resolution that could say something else. The proxy, where one is set, may be anywhere. Thread-safe.
/// </summary>
internal sealed class AssetConnector(IOptions<AssetOptions> options, AssetNetworks networks, HostResolver resolve)
{
    private readonly Uri? _proxy = options.Value.Proxy.Length > 0 ? new Uri(options.Value.Proxy) : null;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellationToken);
        var reachable = IsProxy(host, port) ? addresses : addresses.Where(networks.Hold).ToArray();
        if (reachable.Length == 0)
        {
            throw addresses.Length == 0
                ? new SocketException((int)SocketError.HostNotFound)
                : new AssetRefusedException("The link's host is at an address that is not public, nor in Assets:AllowedNetworks.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(reachable, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool IsProxy(string host, int port) => _proxy is not null && port == _proxy.Port && host.Equals(_proxy.IdnHost, StringComparison.OrdinalIgnoreCase);
}
