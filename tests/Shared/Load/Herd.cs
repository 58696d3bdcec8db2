using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>
/// Many concurrent callers: first all connections are opened, then all requests are sent. Uses sockets, because ten thousand requests of an HTTP client would
/// measure the CPU of the test.
/// </summary>
internal static class Herd
{
    private const int ConnectionBatch = 100;

    public static async Task<Figures> RunAsync(int callers, string path, IReadOnlyList<Uri> replicas, TimeSpan timeout)
    {
        var test = TestContext.Current.CancellationToken;
        var sockets = new List<(Socket Socket, byte[] Request)>(callers);
        try
        {
            var requests = replicas.Select(replica => Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: {replica.Authority}\r\nConnection: close\r\n\r\n")).ToArray();
            foreach (var batch in Enumerable.Range(0, callers).Chunk(ConnectionBatch))
            {
                sockets.AddRange(await Task.WhenAll(batch.Select(async i =>
                    (await ConnectAsync(replicas[i % replicas.Count].Port, test), requests[i % replicas.Count]))));
            }

            var figures = new Figures();
            using var timeoutSource = new CancellationTokenSource(timeout, TimeProvider.System);
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(test, timeoutSource.Token);
            await Task.WhenAll(sockets.Select(caller => MeasureAsync(caller.Socket, caller.Request, figures, cancellation.Token)));
            return figures;
        }
        finally
        {
            sockets.ForEach(caller => caller.Socket.Dispose());
        }
    }

    private static async Task<Socket> ConnectAsync(int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return socket;
    }

    private static async Task MeasureAsync(Socket socket, byte[] request, Figures figures, CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        var response = new byte[4096];
        var length = 0;
        try
        {
            await socket.SendAsync(request, cancellationToken);
            while (length < response.Length && await socket.ReceiveAsync(response.AsMemory(length), cancellationToken) is > 0 and var read)
            {
                length += read;
            }
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            length = 0;
        }

        var head = Encoding.ASCII.GetString(response, 0, length).Split("\r\n\r\n")[0].Split("\r\n");
        var status = head[0].Split(' ') is [_, var code, ..] ? int.Parse(code, CultureInfo.InvariantCulture) : 0;
        var kind = head.FirstOrDefault(line => line.StartsWith("Cache-Status:", StringComparison.OrdinalIgnoreCase))?.Split(':')[1].Split("; ttl")[0].Trim();
        figures.Add(status, clock.GetElapsedTime(start), kind);
    }
}
