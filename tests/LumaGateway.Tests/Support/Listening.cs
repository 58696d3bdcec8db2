using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Support;

/// <summary>Where a gateway listens that was started on real ports.</summary>
internal sealed record Listening(Uri Main, Uri Management)
{
    /// <summary>
    /// Starts it. The management port has to be known before the start, so its socket is bound here, to a port that is free, and the server is given
    /// that socket: no other process can take the port in between.
    /// </summary>
    public static Listening Start(Gateway gateway)
    {
        var bound = new Socket(SocketType.Stream, ProtocolType.Tcp); // of both families, where the machine has both
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
        return new Listening(new Uri(addresses.Single(address => !address.EndsWith($":{port}", StringComparison.Ordinal))), new Uri($"http://127.0.0.1:{port}"));
    }
}
