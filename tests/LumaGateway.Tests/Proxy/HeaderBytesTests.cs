using System.Net;
using System.Net.Sockets;
using System.Text;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Proxy;

/// <summary>RFC 9110, section 5.5: a header value may contain bytes from 0x80 to 0xFF. They are forwarded unchanged. Uses real sockets.</summary>
public sealed class HeaderBytesTests : IAsyncDisposable
{
    /// <summary>The UTF-8 bytes of a Cyrillic word, as Latin-1 characters.</summary>
    private static readonly string Cat = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("кот"));

    private readonly Gateway _gateway = new();
    private readonly TcpListener _upstream = new(IPAddress.Loopback, 0);
    private readonly List<string> _heads = [];
    private string _headers = "";

    public HeaderBytesTests()
    {
        _upstream.Start();
        _ = ServeAsync();
        _gateway.WithUpstream($"http://127.0.0.1:{((IPEndPoint)_upstream.LocalEndpoint).Port}/v1");
    }

    public async ValueTask DisposeAsync()
    {
        _upstream.Dispose();
        await _gateway.DisposeAsync();
    }

    [Theory]
    [InlineData("Content-Disposition", "attachment; filename=\"{0}.mp4\"")]
    [InlineData("ETag", "\"{0}\"")]
    [InlineData("Content-Language", "{0}")]
    public async Task A_header_of_the_upstream_is_forwarded_unchanged(string name, string value)
    {
        _headers = $"{name}: {string.Format(null, value, Cat)}\r\n";

        var response = await ExchangeAsync("GET /luma/ping HTTP/1.1", "");

        Assert.StartsWith("HTTP/1.1 200", response, StringComparison.Ordinal);
        Assert.Contains($"\r\n{_headers}", response, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_create_response_with_non_ASCII_headers_is_forwarded_and_recorded()
    {
        _headers = $"ETag: \"{Cat}\"\r\nContent-Disposition: inline; filename=\"{Cat}\"\r\n";

        var first = await ExchangeAsync("POST /luma/generations HTTP/1.1", "Idempotency-Key: k1\r\nContent-Length: 2\r\nContent-Type: application/json\r\n", "{}");
        var again = await ExchangeAsync("POST /luma/generations HTTP/1.1", "Idempotency-Key: k1\r\nContent-Length: 2\r\nContent-Type: application/json\r\n", "{}");

        Assert.All([first, again], response =>
        {
            Assert.StartsWith("HTTP/1.1 200", response, StringComparison.Ordinal);
            Assert.Contains($"ETag: \"{Cat}\"", response, StringComparison.Ordinal);
        });
        Assert.Contains("Idempotency-Replayed: true", again, StringComparison.Ordinal);
        Assert.Single(_heads);
    }

    [Fact]
    public async Task A_header_with_a_control_character_is_removed_and_the_response_is_forwarded()
    {
        _headers = "Content-Language: a\u0001b\r\nETag: \"kept\"\r\n";

        var response = await ExchangeAsync("GET /luma/ping HTTP/1.1", "");

        Assert.StartsWith("HTTP/1.1 200", response, StringComparison.Ordinal);
        Assert.Contains("ETag: \"kept\"", response, StringComparison.Ordinal);
        Assert.DoesNotContain("Content-Language", response, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("User-Agent", "{0}/1.0")]
    [InlineData("Accept-Language", "{0}")]
    [InlineData("If-None-Match", "\"{0}\"")]
    public async Task A_header_of_the_caller_is_forwarded_unchanged(string name, string value)
    {
        var header = $"{name}: {string.Format(null, value, Cat)}";

        var response = await ExchangeAsync("GET /luma/ping HTTP/1.1", $"{header}\r\n");

        Assert.StartsWith("HTTP/1.1 200", response, StringComparison.Ordinal);
        Assert.Contains($"\r\n{header}\r\n", Assert.Single(_heads), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_create_that_fails_before_sending_can_be_retried(bool isTimeout)
    {
        Exception failure = isTimeout
            ? new TaskCanceledException("ConnectTimeout elapsed.", new TimeoutException())
            : new HttpRequestException("Failed before sending.");
        var upstream = new ScriptedUpstream().ThenThrow(failure).ThenJson("""{"id":"g1"}""", HttpStatusCode.Created);
        using var gateway = new Gateway().With(services => services.Replace(
            ServiceDescriptor.Singleton<IForwarderHttpClientFactory>(provider => new UnsentClientFactory(provider, upstream))));
        using var caller = gateway.CreateCaller();

        using var first = await CreateAsync(caller);
        using var second = await CreateAsync(caller);

        Assert.Equal("", first.Header("x-should-retry"));
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal(2, upstream.RequestCount);
    }

    private static async Task<HttpResponseMessage> CreateAsync(HttpClient caller)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent("{}") };
        request.Headers.Add("Idempotency-Key", "k1");
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private ListeningGateway? _listening;

    private async Task<string> ExchangeAsync(string line, string headers, string body = "")
    {
        _listening ??= ListeningGateway.Start(_gateway);
        using var connection = await RawConnection.OpenAsync(_listening.Main);
        await connection.SendAsync($"{line}\r\nHost: gateway\r\nX-Api-Key: {Gateway.Key}\r\nConnection: close\r\n{headers}\r\n{body}");
        return await connection.ReadToEndAsync() ?? "no response";
    }

    /// <summary>Responds to each request with the headers of the test, and records the request heads.</summary>
    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await _upstream.AcceptTcpClientAsync(CancellationToken.None);
                var stream = connection.GetStream();
                var head = new StringBuilder();
                var buffer = new byte[8192];
                while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(buffer) is > 0 and var read)
                {
                    head.Append(Encoding.Latin1.GetString(buffer, 0, read));
                }

                _heads.Add(head.ToString());
                await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\nConnection: close\r\n{_headers}\r\n{{}}"));
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

    /// <summary>The gateway's handlers with an upstream that fails or responds before it reads the request.</summary>
    private sealed class UnsentClientFactory(IServiceProvider services, HttpMessageHandler upstream) : IForwarderHttpClientFactory
    {
        public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context)
        {
            var concurrency = services.GetRequiredService<ConcurrencyHandler>();
            var credential = services.GetRequiredService<CredentialHandler>();
            (concurrency.InnerHandler, credential.InnerHandler) = (credential, new NoImplicitRetryHandler(upstream));
            return new HttpMessageInvoker(concurrency, disposeHandler: false);
        }
    }
}
