using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>SocketsHttpHandler retries a request without a content if its pooled connection closes. A create must not be retried.</summary>
public sealed partial class ImplicitRetryTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("""{"resolution":"4k"}""")]
    public async Task A_post_is_sent_once_if_its_pooled_connection_closes(string? body)
    {
        using var upstream = new TcpListener(IPAddress.Loopback, 0);
        upstream.Start();
        var posts = 0;
        _ = ServeAsync(upstream, () => Interlocked.Increment(ref posts));
        using var gateway = new Gateway().WithUpstream($"http://127.0.0.1:{((IPEndPoint)upstream.LocalEndpoint).Port}/v1");
        using var caller = gateway.CreateCaller();
        using var warm = await caller.SendGetAsync("/luma/ping");

        using var response = await caller.PostAsync("/luma/generations/g1/upscale", body is null ? null : new StringContent(body), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, warm.StatusCode);
        await response.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("false", response.Header("x-should-retry"));
        Assert.Equal(1, posts);
    }

    /// <summary>Keeps a connection open after a GET. Reads a whole POST and closes without a response.</summary>
    /// <remarks>Closing with unread bytes would send a reset instead of a FIN, and the client does not retry after a reset.</remarks>
    private static async Task ServeAsync(TcpListener upstream, Action onPost)
    {
        try
        {
            while (true)
            {
                using var connection = await upstream.AcceptTcpClientAsync(CancellationToken.None);
                var stream = connection.GetStream();
                while (await ReadRequestAsync(stream) is { Length: > 0 } request)
                {
                    if (request.StartsWith("POST", StringComparison.Ordinal))
                    {
                        onPost();
                        break;
                    }

                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"u8.ToArray());
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over.
        }
    }

    /// <summary>Returns one request with its body; empty at the end of the connection.</summary>
    private static async Task<string> ReadRequestAsync(NetworkStream stream)
    {
        var request = "";
        var buffer = new byte[8192];
        while (!IsComplete(request) && await stream.ReadAsync(buffer) is > 0 and var read)
        {
            request += Encoding.ASCII.GetString(buffer, 0, read);
        }

        return request;
    }

    private static bool IsComplete(string request) => request.Split("\r\n\r\n", 2) is [var head, var body]
        && (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase)
            ? body.EndsWith("0\r\n\r\n", StringComparison.Ordinal)
            : body.Length >= (Length().Match(head) is { Success: true } length ? int.Parse(length.Groups[1].Value, CultureInfo.InvariantCulture) : 0));

    [GeneratedRegex(@"^Content-Length: (\d+)\r?$", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Length();
}
