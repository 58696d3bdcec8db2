using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Support;

/// <summary>The addresses of a gateway that listens on real ports.</summary>
internal sealed record ListeningGateway(Uri Main, Uri Management)
{
    /// <summary>
    /// Starts the gateway. The management port must be known before the start, so a socket is bound here to a free port and passed to the server; no other process can
    /// take the port meanwhile.
    /// </summary>
    public static ListeningGateway Start(Gateway gateway)
    {
        var bound = new Socket(SocketType.Stream, ProtocolType.Tcp); // IPv6 and IPv4 if the machine supports both
        bound.Bind(new IPEndPoint(bound.AddressFamily is AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0));
        var port = ((IPEndPoint)bound.LocalEndPoint!).Port;

        gateway.With("urls", "http://127.0.0.1:0").With("Management:Port", $"{port}").With(services => services.PostConfigure<SocketTransportOptions>(sockets =>
        {
            var bind = sockets.CreateBoundListenSocket;
            sockets.CreateBoundListenSocket = endpoint => endpoint is IPEndPoint ip && ip.Port == port ? bound : bind(endpoint);
        }));
        gateway.UseKestrel();
        gateway.StartServer();

        var addresses = gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Assert.Equal(2, addresses.Count);
        return new ListeningGateway(new Uri(addresses.Single(address => !address.EndsWith($":{port}", StringComparison.Ordinal))), new Uri($"http://127.0.0.1:{port}"));
    }
}
