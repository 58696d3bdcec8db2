using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>Resolves a host name. Replaced in tests.</summary>
internal delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>
/// Connects to allowed addresses of a host. It resolves the name once and connects to the checked address, so that a second DNS response cannot bypass the check
/// (DNS rebinding). The address of <c>Assets:Proxy</c> is not checked. Thread-safe.
/// </summary>
internal sealed class AssetConnector(IOptions<AssetOptions> options, AssetNetworks networks, HostResolver resolve)
{
    private readonly Uri? _proxy = options.Value.Proxy.Length > 0 ? new Uri(options.Value.Proxy) : null;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellationToken);
        var allowed = IsProxy(host, port) ? addresses : addresses.Where(networks.Contains).ToArray();
        if (allowed.Length == 0)
        {
            throw addresses.Length == 0
                ? new SocketException((int)SocketError.HostNotFound)
                : new AssetLinkRefusedException("The link's host resolves to no address that is public or in Assets:AllowedNetworks.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, port, cancellationToken);
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
