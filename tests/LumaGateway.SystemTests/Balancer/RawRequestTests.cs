using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>Malformed requests (request smuggling), retries and forwarded headers of the balancers of infra/, as a gateway receives them. Needs nginx and haproxy.</summary>
public sealed partial class RawRequestTests
{
    private const string Post = "POST /luma/generations HTTP/1.1\r\nHost: a\r\n";
    private const string Get = "GET /generations/g1 HTTP/1.1\r\nHost: a\r\n";

    /// <summary>Requests, and whether nginx and HAProxy refuse them. They must forward the others in an unambiguous form.</summary>
    public static TheoryData<string, bool, bool> AmbiguousRequests => new()
    {
        { Post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", true, false },
        { Post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, false },
        { Post + "Content-Length: +5\r\n\r\nhello", true, true },
        { Post + "Content-Length: -0\r\n\r\n", true, true },
        { Post + "Content-Length: 005\r\n\r\nhello", false, true },
        { Post + "Content-Length: 0x5\r\n\r\nhello", true, true },
        { Post + "Content-Length: 5, 5\r\n\r\nhello", true, false },
        { Post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", true, true },
        { Post + "Transfer-Encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, true },
        { Post + "Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, true },
        { Post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, true },
        { Post + "Transfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, true },
        { Post + "Transfer-Encoding: \vchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, true },
        { "POST /luma/generations HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true, true },
        { Post + "Transfer-Encoding: chunked\r\n\r\n5;\u0001junk=[]\r\nhello\r\n0\r\n\r\n", false, false },
        { Post + "Transfer-Encoding: chunked\r\n\r\n5;a=\0b\r\nhello\r\n0\r\n\r\n", false, false },
        { Post + "Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n", true, true },
        { Post + "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", false, false },
        { Post + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", true, true },
        { Post + "Expect: miracles\r\nContent-Length: 5\r\n\r\nhello", true, true },
        { "GET /generations/g1 HTTP/1.1\nHost: a\n\n", false, false },
        { Get + "X-Request-Id: a\rX-B: b\r\n\r\n", true, true },
        { Get + "X-Request-Id: a\0b\r\n\r\n", true, true },
        { Get + "X[a]: b\r\n\r\n", false, true },
        { Get + " X-Folded: b\r\n\r\n", true, false },
        { Get + "Host: b\r\n\r\n", true, true },
        { Get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n", false, false },
        { "GET /generations/g1 HTTP/1.1\r\nHost:\r\n\r\n", true, true },
        { "GET /generations/g1 HTTP/1.1\r\nAccept: */*\r\n\r\n", true, true },
        { "GET /generations/g1\r\n\r\n", true, true },
        { "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n", true, true },
    };

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task An_ambiguous_request_is_refused_or_forwarded_in_an_unambiguous_form(string program)
    {
        await using var gateway = new RecordingGateway();
        await using var balancer = await BalancerProcess.StartAsync(program, [gateway.Port]);
        var forwarded = 0;
        foreach (var row in AmbiguousRequests)
        {
            var (request, byNginx, byHAProxy) = row.Data;

            var response = await SendAsync(balancer.Address, request);

            if (program is BalancerProcess.Nginx ? byNginx : byHAProxy)
            {
                Assert.True(Refusal().IsMatch(response), $"{request}\ngot the response:\n{response}");
            }
            else
            {
                forwarded++;
                await Wait.UntilAsync(() => gateway.Received.Count == forwarded, () => $"{request}\nwas not forwarded once, but got the response:\n{response}");
                Assert.True(IsUnambiguous(gateway.Received.Last()), $"{request}\nwas forwarded as:\n{gateway.Received.Last()}");
            }
        }

        Assert.Equal(forwarded, gateway.Received.Count);
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task Failed_reads_are_retried_on_another_gateway_and_creates_and_deletes_are_not(string program)
    {
        await using var first = new RecordingGateway(closesConnection: true);
        await using var second = new RecordingGateway(closesConnection: true);
        await using var third = new RecordingGateway(closesConnection: true);
        RecordingGateway[] gateways = [first, second, third];
        await using var balancer = await BalancerProcess.StartAsync(program, [.. gateways.Select(gateway => gateway.Port)]);

        var sent = new Dictionary<string, int>();
        foreach (var method in new[] { "POST", "DELETE", "GET" })
        {
            using var client = balancer.CreateClient(); // a new connection, because HAProxy leaves retries on a reused connection to the client
            using var request = new HttpRequestMessage(new HttpMethod(method), "/luma/generations/g1") { Content = method is "POST" ? new StringContent("hello") : null };
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
            sent[method] = gateways.SelectMany(gateway => gateway.Received).Count(received => received.StartsWith(method, StringComparison.Ordinal));
        }

        Assert.Equal((1, 1, 3), (sent["POST"], sent["DELETE"], sent["GET"]));
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task Forwarded_headers_of_a_caller_are_replaced(string program)
    {
        await using var gateway = new RecordingGateway();
        await using var balancer = await BalancerProcess.StartAsync(program, [gateway.Port]);
        using var client = balancer.CreateClient(balancer.SecureAddress, HttpVersion.Version20, from: IPAddress.Parse("127.0.0.5"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (var header in new[] { "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Port", "X-Real-IP" })
        {
            request.Headers.TryAddWithoutValidation(header, "forged.test");
        }

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => gateway.Received.Count > 0, () => "The gateway received no request.");

        var received = Assert.Single(gateway.Received);
        Assert.DoesNotContain("forged", received, StringComparison.Ordinal);
        Assert.Contains("x-forwarded-for: 127.0.0.5\r\n", received, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("x-forwarded-proto: https\r\n", received, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("x-api-key: " + GatewayProcess.ClientKey, received, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task The_secret_in_the_callback_path_is_not_logged_even_without_a_gateway(string program)
    {
        await using var balancer = await BalancerProcess.StartAsync(program, [FreePort.Reserve()]);
        using var client = balancer.CreateClient();

        using var callback = await client.PostAsync(new Uri("/callbacks/luma/CANARYsecret", UriKind.Relative), new StringContent("{}"), TestContext.Current.CancellationToken);
        using var other = await client.GetAsync(new Uri("/generations/logged", UriKind.Relative), TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => balancer.Log.Any(line => line.Contains("/generations/logged", StringComparison.Ordinal)), () => "Nothing was logged.");

        Assert.True((int)callback.StatusCode >= 500);
        Assert.DoesNotContain(balancer.Log, line => line.Contains("CANARY", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task A_ticket_in_the_query_is_not_logged_and_reaches_the_gateway(string program)
    {
        await using var gateway = new RecordingGateway();
        await using var balancer = await BalancerProcess.StartAsync(program, [gateway.Port]);
        using var client = balancer.CreateClient();

        using var first = await client.GetAsync(new Uri("/generations/g1/events?ticket=CANARYticket", UriKind.Relative), TestContext.Current.CancellationToken);
        using var second = await client.GetAsync(new Uri("/generations/g1/video?a=b&Ticket=CANARYticket&c=d", UriKind.Relative), TestContext.Current.CancellationToken);
        using var other = await client.GetAsync(new Uri("/generations?ids=logged", UriKind.Relative), TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => balancer.Log.Any(line => line.Contains("/generations?ids=logged", StringComparison.Ordinal)), () => "Nothing was logged.");

        Assert.Equal(2, gateway.Received.Count(received => received.Contains("icket=CANARYticket", StringComparison.Ordinal)));
        Assert.DoesNotContain(balancer.Log, line => line.Contains("CANARY", StringComparison.Ordinal));
    }

    /// <summary>Returns at least the first line of the response; empty if the connection is closed without one.</summary>
    private static async Task<string> SendAsync(Uri address, string request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        var response = new StringBuilder();
        var buffer = new byte[4096];
        using var timeout = new CancellationTokenSource(Wait.Timeout, TimeProvider.System);
        try
        {
            while (!response.ToString().Contains('\n') && await socket.ReceiveAsync(buffer, timeout.Token) is > 0 and var length)
            {
                response.Append(Encoding.Latin1.GetString(buffer, 0, length));
            }
        }
        catch (SocketException)
        {
            // The server closed the connection.
        }

        return response.ToString();
    }

    [GeneratedRegex(@"^(HTTP/1\.[01] (400|405|411|417|501) |<html>)")]
    private static partial Regex Refusal();

    /// <summary>Whether it is one request: a request line, valid headers, one host, at most one body length, and no byte after the body.</summary>
    private static bool IsUnambiguous(string received)
    {
        if (received.Split("\r\n\r\n", 2) is not [var head, var body] || head.Split("\r\n") is not [var line, .. var headers])
        {
            return false;
        }

        var names = headers.Select(header => header.Split(':')[0].ToLowerInvariant()).ToList();
        var length = headers.Where(header => Length().IsMatch(header)).ToList();
        return RequestLine().IsMatch(line) && headers.All(header => Header().IsMatch(header))
            && names.Count(name => name is "host") == 1 && names.Count(name => name is "content-length" or "transfer-encoding") == length.Count && !names.Contains("upgrade")
            && length switch
            {
                [] => body.Length == 0,
                [var one] => one.EndsWith("chunked", StringComparison.Ordinal) ? body is "5\r\nhello\r\n0\r\n\r\n" or "0\r\n\r\n" : body is "hello",
                _ => false,
            };
    }

    [GeneratedRegex(@"^[A-Z]+ /\S* HTTP/1\.1$")]
    private static partial Regex RequestLine();

    [GeneratedRegex(@"^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]+$")]
    private static partial Regex Header();

    [GeneratedRegex(@"^(content-length: 5|transfer-encoding: chunked)$", RegexOptions.IgnoreCase)]
    private static partial Regex Length();
}
