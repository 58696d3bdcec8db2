using System.Net;
using System.Net.Sockets;
using LumaGateway.Hosting;

namespace LumaGateway.Tests.Hosting;

public sealed class SynFilterTests
{
    [Fact]
    public async Task A_filtered_port_accepts_the_connections_in_its_backlog_and_no_new_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have no such filter.");
        using var listening = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        listening.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        listening.Listen();
        var port = ((IPEndPoint)listening.LocalEndPoint!).Port;
        using var earlier = await ConnectAsync(port);

        SynFilter.Attach(listening);
        var later = ConnectAsync(port);
        using (var accepted = await listening.AcceptAsync(TestContext.Current.CancellationToken))
        {
            await earlier.SendAsync("request"u8.ToArray(), TestContext.Current.CancellationToken);
            Assert.Equal("request"u8.Length, await accepted.ReceiveAsync(new byte[16], TestContext.Current.CancellationToken));
        }

        Assert.False(listening.Poll(TimeSpan.Zero, SelectMode.SelectRead));
        listening.Close();
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => later)).SocketErrorCode);
    }

    [Fact]
    public void A_unix_socket_is_left_as_it_is()
    {
        using var listening = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        SynFilter.Attach(listening);
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), TestContext.Current.CancellationToken);
        return socket;
    }
}
