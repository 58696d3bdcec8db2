using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LumaGateway.Tests.Assets;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>
/// RFC 9112, section 6.3: <c>Transfer-Encoding</c> overrides <c>Content-Length</c>, which is removed before a response is forwarded. Uses real sockets, because only Kestrel enforces
/// the length.
/// </summary>
public sealed class ChunkedResponseTests : IAsyncDisposable
{
    private const string Body = """{"id":"g1","state":"queued"}""";

    private readonly Gateway _gateway = new();
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);
    private string _head = "";

    public ChunkedResponseTests()
    {
        _server.Start();
        _ = ServeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _server.Dispose();
        await _gateway.DisposeAsync();
    }

    private int Port => ((IPEndPoint)_server.LocalEndpoint).Port;

    [Theory]
    [InlineData(5)]
    [InlineData(500)]
    public async Task A_chunked_response_to_a_create_is_forwarded_as_a_whole_if_its_length_is_wrong(int length)
    {
        _gateway.WithUpstream($"http://127.0.0.1:{Port}/v1");
        _head = $"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n";

        var (status, body) = await SendAsync(HttpMethod.Post, "/luma/generations");

        Assert.Equal((HttpStatusCode.Created, Body), (status, body));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(500)]
    public async Task A_chunked_file_is_forwarded_as_a_whole_if_its_length_is_wrong(int length)
    {
        _gateway.With("Assets:AllowHttp", "true").With("Assets:AllowedHosts:0", string.Create(CultureInfo.InvariantCulture, $"cdn.test:{Port}"))
            .With("Assets:AllowedNetworks:0", "127.0.0.0/8").Resolving(IPAddress.Loopback);
        _gateway.Upstream.AlwaysJson(AssetGateway.Completed($"http://cdn.test:{Port}/file.mp4"));
        _head = $"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {length}\r\n";

        var (status, body) = await SendAsync(HttpMethod.Get, "/generations/g1/video");

        Assert.Equal((HttpStatusCode.OK, Body), (status, body));
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpMethod method, string path)
    {
        using var caller = new HttpClient { BaseAddress = ListeningGateway.Start(_gateway).Main, Timeout = Poll.Timeout };
        using var request = new HttpRequestMessage(method, path) { Content = method == HttpMethod.Post ? new StringContent("{}") : null };
        request.Headers.Add("X-Api-Key", Gateway.Key);
        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Responds to each request with the head of the test and a chunked body.</summary>
    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await _server.AcceptTcpClientAsync(CancellationToken.None);
                var stream = connection.GetStream();
                var buffer = new byte[8192];
                Assert.True(await stream.ReadAsync(buffer) > 0);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"{_head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{Body.Length:x}\r\n{Body}\r\n0\r\n\r\n"));
                connection.Client.Shutdown(SocketShutdown.Send);
                while (await stream.ReadAsync(buffer) > 0)
                {
                    // Read until the gateway closes: closing with unread bytes would reset the connection and could lose the response.
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over.
        }
    }
}
