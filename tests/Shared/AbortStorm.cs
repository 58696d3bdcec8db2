using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LumaGateway.Tests.Shared;

/// <summary>A request that its caller aborts. No body if <see cref="Body"/> is null.</summary>
internal sealed record AbortedRequest(string Method, string Path, string? Body = null, params (string Name, string Value)[] Headers);

/// <summary>
/// Callers that send a request and abort it immediately. Over HTTP/1.1 each resets its connection; over HTTP/2 each sends HEADERS and RST_STREAM in one segment,
/// with many streams per connection. Uses sockets, because an HTTP client cannot abort so early.
/// </summary>
internal sealed class AbortStorm(Uri address, string? key, IReadOnlyList<AbortedRequest> requests)
{
    private const int Callers = 16;
    private const int StreamsPerConnection = 50;
    private const byte HeadersFrame = 1;
    private const byte DataFrame = 0;
    private const byte ResetFrame = 3;
    private const byte SettingsFrame = 4;
    private const byte PingFrame = 6;
    private const byte GoAwayFrame = 7;
    private const byte Ack = 1;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;

    private int _next;
    private int _sent;

    /// <summary>Sends the requests over HTTP/1.1, each on its own connection. Returns the number of sent requests.</summary>
    public Task<int> OverHttp1Async(int count, CancellationToken token) => RunAsync(count, 1, async (_, _) =>
    {
        using var socket = await ConnectAsync(token);
        var request = Next();
        var text = new StringBuilder($"{request.Method} {request.Path} HTTP/1.1\r\nHost: {address.Authority}\r\n");
        foreach (var (name, value) in HeadersOf(request))
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        if (request.Body is { } body)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        }

        await socket.SendAsync(Encoding.ASCII.GetBytes($"{text}\r\n{request.Body}"), token);
        Interlocked.Increment(ref _sent);
        await Task.Yield(); // so that some are reset before the gateway reads them, and some after
        socket.LingerState = new LingerOption(true, 0); // RST instead of FIN
    });

    /// <summary>Sends the requests over HTTP/2 with prior knowledge. Returns the number that the server read before it acknowledged the PING that follows them.</summary>
    public Task<int> OverHttp2Async(int count, CancellationToken token) => RunAsync(count, StreamsPerConnection, async (streams, _) =>
    {
        using var socket = await ConnectAsync(token);
        await using var connection = new NetworkStream(socket);
        await connection.WriteAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").Concat(Frame(SettingsFrame, 0, 0, [])).ToArray(), token);
        for (var i = 0; i < streams; i++)
        {
            await connection.WriteAsync(StreamOf(Next(), (2 * i) + 1), token);
        }

        await connection.WriteAsync(Frame(PingFrame, 0, 0, new byte[8]), token);
        if (await IsPingAcknowledgedAsync(connection, token))
        {
            Interlocked.Add(ref _sent, streams);
        }
    });

    private async Task<int> RunAsync(int count, int each, Func<int, int, Task> send)
    {
        var batches = Enumerable.Range(0, (count + each - 1) / each);
        await Parallel.ForEachAsync(batches, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (index, _) =>
        {
            try
            {
                await send(Math.Min(each, count - (index * each)), index);
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // The server closed the connection first, so its requests do not count.
            }
        });
        return _sent;
    }

    private AbortedRequest Next() => requests[(int)((uint)Interlocked.Increment(ref _next) % (uint)requests.Count)];

    private (string Name, string Value)[] HeadersOf(AbortedRequest request) =>
        key is null ? request.Headers : [("X-Api-Key", key), .. request.Headers];

    private async Task<Socket> ConnectAsync(CancellationToken token)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Parse(address.Host), address.Port, token);
        return socket;
    }

    /// <summary>RFC 9113: HEADERS, DATA if there is a body, and RST_STREAM with CANCEL.</summary>
    private byte[] StreamOf(AbortedRequest request, int stream)
    {
        var block = new List<byte>();
        Add(block, ":method", request.Method);
        Add(block, ":scheme", "http");
        Add(block, ":path", request.Path);
        Add(block, ":authority", address.Authority);
        foreach (var (name, value) in HeadersOf(request))
        {
            Add(block, name.ToLowerInvariant(), value);
        }

        byte[] body = request.Body is { } text ? Frame(DataFrame, EndStream, stream, Encoding.UTF8.GetBytes(text)) : [];
        var flags = (byte)(request.Body is null ? EndHeaders | EndStream : EndHeaders);
        return [.. Frame(HeadersFrame, flags, stream, [.. block]), .. body, .. Frame(ResetFrame, 0, stream, [0, 0, 0, 8])];
    }

    /// <summary>RFC 7541, section 6.2.2: a literal header field without indexing, with a new name. Texts have up to 126 bytes.</summary>
    private static void Add(List<byte> block, string name, string value)
    {
        block.Add(0);
        foreach (var text in (string[])[name, value])
        {
            block.Add(checked((byte)(text.Length < 127 ? text.Length : throw new ArgumentException("too long"))));
            block.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    private static async Task<bool> IsPingAcknowledgedAsync(Stream connection, CancellationToken token)
    {
        var head = new byte[9];
        while (await connection.ReadAtLeastAsync(head, 9, throwOnEndOfStream: false, token) == 9)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(head) >> 8 & 0xFFFFFF;
            await connection.ReadExactlyAsync(new byte[length], token);
            if (head[3] is PingFrame or GoAwayFrame)
            {
                return head[3] is PingFrame && (head[4] & Ack) != 0;
            }
        }

        return false;
    }
}
