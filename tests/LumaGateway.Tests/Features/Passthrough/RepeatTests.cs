using System.Net;
using System.Net.Sockets;
using System.Text;
using LumaGateway.Tests.Hosting;

namespace LumaGateway.Tests.Features.Passthrough;

/// <summary>The HTTP client repeats a request without a body by itself when its pooled connection breaks. A create must not be.</summary>
public sealed class RepeatTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("""{"resolution":"4k"}""")]
    public async Task A_post_is_sent_once_even_when_a_pooled_connection_breaks_after_it(string? body)
    {
        using var upstream = new TcpListener(IPAddress.Loopback, 0);
        upstream.Start();
        var posts = 0;
        _ = ServeAsync(upstream, () => Interlocked.Increment(ref posts));
        using var gateway = new Gateway().With("Luma:BaseAddress", $"http://127.0.0.1:{((IPEndPoint)upstream.LocalEndpoint).Port}/v1");
        using var caller = gateway.CreateCaller();
        using var warm = await caller.AskAsync("/luma/ping");

        using var response = await caller.PostAsync("/luma/generations/g1/upscale", body is null ? null : new StringContent(body), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, warm.StatusCode);
        await response.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("false", response.Header("x-should-retry"));
        Assert.Equal(1, posts);
    }

    /// <summary>Keeps a connection open after a GET, reads a POST, and closes without a word.</summary>
    private static async Task ServeAsync(TcpListener upstream, Action counted)
    {
        try
        {
            while (true)
            {
                using var connection = await upstream.AcceptTcpClientAsync(CancellationToken.None);
                var stream = connection.GetStream();
                var buffer = new byte[8192];
                while (await stream.ReadAsync(buffer) is > 0 and var read)
                {
                    if (Encoding.ASCII.GetString(buffer, 0, read).StartsWith("POST", StringComparison.Ordinal))
                    {
                        counted();
                        break;
                    }

                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"u8.ToArray());
                }

                // What is left unread would make the end a reset instead of a FIN, after which nothing is repeated anyway.
                await Task.WhenAny(stream.ReadAsync(buffer).AsTask(), Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over.
        }
    }
}
