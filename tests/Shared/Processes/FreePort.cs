using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>A loopback port that nobody listened on a moment ago, for programs that cannot choose one themselves.</summary>
internal static class FreePort
{
    /// <summary>Below the ports that connections are given for their own end, so that nobody takes it while its owner is away.</summary>
    public static int Lasting()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens there.
            }
        }
    }

    public static int Next()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
