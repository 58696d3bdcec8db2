using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Bench;

/// <summary>
/// Sends at a fixed rate, however slow the responses are. The latency of a request counts from the time it was due, so a pause of the server counts for
/// every request that was due in it (no coordinated omission). The thread spins on core 1, because a timer is too coarse. Each body is the sample's.
/// </summary>
internal static class OpenLoop
{
    /// <summary>Returns p50, p99 and p99.9 in µs.</summary>
    public static Task<double[]> RunAsync(Server server, string path, double rate, int seconds) =>
        Task.Factory.StartNew(() => Spin(server.Address, path, rate, seconds), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static double[] Spin(Uri address, string path, double rate, int seconds)
    {
        var request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {address.Authority}\r\nX-Api-Key: key-0\r\n\r\n");
        var latencies = new double[(int)(rate * seconds)];
        var connections = Enumerable.Range(0, 32).Select(_ => new Connection(address)).ToList();
        var start = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 10);
        for (var (sent, done) = (0, 0); done < latencies.Length;)
        {
            foreach (var connection in connections)
            {
                if (connection.DueAt is { } dueAt)
                {
                    if (connection.TryReceive())
                    {
                        latencies[done++] = Stopwatch.GetElapsedTime(dueAt).TotalMicroseconds;
                    }
                }
                else if (sent < latencies.Length && start + (long)(sent * (Stopwatch.Frequency / rate)) is var due && due <= Stopwatch.GetTimestamp())
                {
                    connection.Send(request, due);
                    sent++;
                }
            }
        }

        connections.ForEach(connection => connection.Dispose());
        Array.Sort(latencies);
        return [.. ((double[])[0.5, 0.99, 0.999]).Select(share => latencies[(int)(share * (latencies.Length - 1))])];
    }

    /// <summary>One connection with at most one request in flight. It never blocks.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly byte[] _response = new byte[16 * 1024];
        private int _length;

        public Connection(Uri address)
        {
            _socket.Connect(address.Host, address.Port);
            _socket.Blocking = false;
        }

        /// <summary>When the request in flight was due; null if there is none.</summary>
        public long? DueAt { get; private set; }

        public void Send(ReadOnlySpan<byte> request, long dueAt)
        {
            (DueAt, _length) = (dueAt, 0);
            _socket.Send(request); // shorter than the socket's buffer
        }

        /// <summary>Returns true if the whole response has arrived.</summary>
        public bool TryReceive()
        {
            var read = _socket.Receive(_response.AsSpan(_length), SocketFlags.None, out var error);
            if (error is SocketError.WouldBlock)
            {
                return false;
            }

            _length += read;
            var response = _response.AsSpan(0, _length);
            if (read == 0 || !response.StartsWith("HTTP/1.1 200"u8[..Math.Min(12, _length)]))
            {
                throw new BenchException($"A request at a fixed rate failed: {error}, {Encoding.ASCII.GetString(response)}");
            }

            var headers = response.IndexOf("\r\n\r\n"u8);
            if (headers < 0 || _length < headers + 4 + Lab.Slim.Length)
            {
                return false;
            }

            DueAt = null;
            return true;
        }

        public void Dispose() => _socket.Dispose();
    }
}
