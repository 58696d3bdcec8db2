using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Hosting;

/// <summary>Where a gateway listens that was started on real ports.</summary>
internal sealed record Listening(Uri Main, Uri Management)
{
    public static Listening Start(Gateway gateway)
    {
        var port = FreePort();
        gateway.With("urls", "http://127.0.0.1:0").With("Management:Port", $"{port}");
        gateway.UseKestrel();
        gateway.StartServer();

        var addresses = gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Assert.Equal(2, addresses.Count);
        return new Listening(new Uri(addresses.Single(address => !address.EndsWith($":{port}", StringComparison.Ordinal))), new Uri($"http://127.0.0.1:{port}"));
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
