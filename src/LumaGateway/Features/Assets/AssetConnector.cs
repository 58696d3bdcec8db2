using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace LumaGateway.Features.Assets;

/// <summary>Resolves a host name. Replaced in tests.</summary>
internal delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>
/// Connects to a listed host, but only to an address that it may be at. The address that was checked is the one that is connected to: there is
/// no second resolution that could say something else. With a proxy, addresses are the proxy's affair. Thread-safe.
/// </summary>
internal sealed class AssetConnector(IOptions<AssetOptions> options, HostResolver resolve)
{
    private readonly IPNetwork[] _allowed = [.. options.Value.AllowedNetworks.Select(IPNetwork.Parse)];
    private readonly bool _hasProxy = options.Value.Proxy.Length > 0;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellationToken);
        var reachable = _hasProxy ? addresses : addresses.Where(MayConnect).ToArray();
        if (reachable.Length == 0)
        {
            throw addresses.Length == 0
                ? new SocketException((int)SocketError.HostNotFound)
                : new AssetRefusedException("The link's host is at an address that is not public.");
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

    private bool MayConnect(IPAddress address)
    {
        var plain = PublicNetworks.Plain(address);
        return PublicNetworks.Hold(address) || _allowed.Any(network => network.Contains(plain));
    }
}
