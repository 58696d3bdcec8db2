using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Load;

/// <summary>Latencies at a fixed rate, in µs.</summary>
internal readonly record struct Latencies(double P50, double P99, double P999);

/// <summary>
/// Sends at a fixed rate, whatever comes back when, and counts each request's latency from when it was due. So a server that stops for a moment pays for
/// all that would have come meanwhile (no coordinated omission). Spins on the load's core: a timer's grain would be a multiple of what is measured.
/// </summary>
internal static class OpenLoop
{
    private const int Connections = 32;

    public static Task<Latencies> RunAsync(Server server, Asking asking, double rate, int seconds) =>
        Task.Factory.StartNew(() => Spin(server, asking, rate, seconds), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Latencies Spin(Server server, Asking asking, double rate, int seconds)
    {
        var request = Encoding.ASCII.GetBytes($"GET {asking.Path} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nX-Api-Key: key-0\r\n\r\n");
        var total = (int)(rate * seconds);
        var latencies = new double[total];
        var connections = Enumerable.Range(0, Connections).Select(_ => new Connection(server)).ToArray();
        try
        {
            var start = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 10);
            var (sent, done) = (0, 0);
            while (done < total)
            {
                foreach (var connection in connections)
                {
                    if (connection.DueAt is { } dueAt)
                    {
                        if (connection.TryFinish())
                        {
                            latencies[done++] = Stopwatch.GetElapsedTime(dueAt).TotalMicroseconds;
                        }
                    }
                    else if (sent < total && start + (long)(sent * (Stopwatch.Frequency / rate)) is var due && due <= Stopwatch.GetTimestamp())
                    {
                        connection.Send(request, due);
                        sent++;
                    }
                }
            }
        }
        finally
        {
            Array.ForEach(connections, connection => connection.Dispose());
        }

        Array.Sort(latencies);
        return new Latencies(At(0.5), At(0.99), At(0.999));

        double At(double share) => latencies[(int)(share * (total - 1))];
    }

    /// <summary>One connection, one request at a time, never waiting for the socket.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly Server _server;
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly byte[] _answer = new byte[16 * 1024];
        private int _length;

        public Connection(Server server)
        {
            _server = server;
            _socket.Connect("127.0.0.1", server.Port);
            _socket.Blocking = false;
        }

        /// <summary>When the request under way was to be sent; null where there is none.</summary>
        public long? DueAt { get; private set; }

        public void Send(ReadOnlySpan<byte> request, long dueAt)
        {
            (DueAt, _length) = (dueAt, 0);
            _socket.Send(request); // shorter than any socket's buffer
        }

        /// <summary>Whether the answer is there as a whole.</summary>
        public bool TryFinish()
        {
            var read = _socket.Receive(_answer.AsSpan(_length), SocketFlags.None, out var error);
            if (error is SocketError.WouldBlock)
            {
                return false;
            }

            _length += read;
            var answer = _answer.AsSpan(0, _length);
            if (read == 0 || !answer.StartsWith("HTTP/1.1 200"u8[..Math.Min(12, _length)]))
            {
                throw new BenchException($"{_server.Name} failed at a fixed rate: {error}, {Encoding.ASCII.GetString(answer)}");
            }

            var end = answer.IndexOf("\r\n\r\n"u8);
            if (end < 0 || _length < end + 4 + LengthIn(answer[..end]))
            {
                return false;
            }

            DueAt = null;
            return true;
        }

        public void Dispose() => _socket.Dispose();

        private static int LengthIn(ReadOnlySpan<byte> headers)
        {
            var value = headers[(headers.IndexOf("Content-Length: "u8) + 16)..];
            var end = value.IndexOf((byte)'\r');
            return int.Parse(end < 0 ? value : value[..end], CultureInfo.InvariantCulture);
        }
    }
}
