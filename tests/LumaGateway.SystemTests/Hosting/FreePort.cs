using System.Net;
using System.Net.Sockets;

namespace LumaGateway.SystemTests.Hosting;

/// <summary>A loopback port that nobody listened on a moment ago, for programs that cannot choose one themselves.</summary>
internal static class FreePort
{
    public static int Next()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
