using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Proxy;

/// <summary>Protocol upgrades are ignored. Uses real sockets: the test server has no upgrades.</summary>
public sealed class UpgradeTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _received = new();
    private readonly Gateway _gateway = new();
    private Loopback _upstream = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream = await Loopback.StartAsync(context =>
        {
            _received.Enqueue($"{context.Request.Method} {string.Join(' ', context.Request.Headers.Keys.Order())}");
            return context.Response.WriteAsync("pong", context.RequestAborted);
        });
        _gateway.WithUpstream(_upstream.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")]
    [InlineData("Upgrade: SPDY/3.1\r\n")]
    [InlineData("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n")]
    public async Task An_upgrade_is_ignored_and_not_forwarded(string headers)
    {
        using var connection = await RawConnection.OpenAsync(ListeningGateway.Start(_gateway).Main);

        await connection.SendAsync($"GET /luma/ping HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\nConnection: Upgrade, HTTP2-Settings\r\n{headers}\r\n");
        await connection.SendAsync($"GET /luma/ping HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\nConnection: close\r\n\r\n"); // the connection is still HTTP and no tunnel
        var responses = await connection.ReadToEndAsync();

        Assert.Equal(2, responses!.Split("HTTP/1.1 200").Length - 1);
        Assert.DoesNotContain("HTTP/1.1 101", responses, StringComparison.Ordinal);
        Assert.Equal(["GET Authorization Host X-Request-ID", "GET Authorization Host X-Request-ID"], _received);
    }

    [Fact]
    public async Task A_websocket_client_fails_to_connect()
    {
        var address = ListeningGateway.Start(_gateway).Main;
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("X-Api-Key", Gateway.Key);

        var failure = await Assert.ThrowsAsync<WebSocketException>(() =>
            socket.ConnectAsync(new UriBuilder(address) { Scheme = "ws", Path = "/luma/ping" }.Uri, TestContext.Current.CancellationToken));

        Assert.Contains("200", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_websocket_over_http_2_is_a_405()
    {
        var address = ListeningGateway.Start(_gateway.With("Kestrel:EndpointDefaults:Protocols", "Http2")).Main;
        using var handler = new SocketsHttpHandler();
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Connect, new Uri(address, "/luma/ping"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { Protocol = "websocket" },
        };
        request.Headers.Add("X-Api-Key", Gateway.Key);

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Empty(_received);
    }
}
