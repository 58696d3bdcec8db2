using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>What the balancers of infra/ make of requests that two servers could read differently, and what they repeat. Seen from where a gateway stands. Needs nginx and haproxy.</summary>
public sealed partial class RawRequestTests
{
    private const string Post = "POST /luma/generations HTTP/1.1\r\nHost: a\r\n";
    private const string Get = "GET /generations/g1 HTTP/1.1\r\nHost: a\r\n";

    /// <summary>Each with whether nginx and HAProxy refuse it; they send on the others in a form that has one reading.</summary>
    public static TheoryData<string, bool, bool> Odd => new()
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
    public async Task A_request_that_two_servers_could_read_differently_is_refused_or_sent_on_with_one_reading(string program)
    {
        await using var gateway = new RecordingGateway();
        await using var balancer = await BalancerProcess.StartAsync(program, [gateway.Port]);
        var sentOn = 0;
        foreach (var row in Odd)
        {
            var (request, byNginx, byHAProxy) = row.Data;

            var answer = await SendAsync(balancer.Address, request);

            if (program is BalancerProcess.Nginx ? byNginx : byHAProxy)
            {
                Assert.True(Refusal().IsMatch(answer), $"{request}\nwas answered:\n{answer}");
            }
            else
            {
                sentOn++;
                await Wait.UntilAsync(() => gateway.Received.Count == sentOn, () => $"{request}\nwas not sent on once, but answered:\n{answer}");
                Assert.True(HasOneReading(gateway.Received.Last()), $"{request}\nwas sent on as:\n{gateway.Received.Last()}");
            }
        }

        Assert.Equal(sentOn, gateway.Received.Count);
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task Reads_are_asked_again_of_another_gateway_and_nothing_that_was_sent_is_repeated(string program)
    {
        await using var first = new RecordingGateway(hangsUp: true);
        await using var second = new RecordingGateway(hangsUp: true);
        await using var third = new RecordingGateway(hangsUp: true);
        RecordingGateway[] gateways = [first, second, third];
        await using var balancer = await BalancerProcess.StartAsync(program, [.. gateways.Select(gateway => gateway.Port)]);

        var sent = new Dictionary<string, int>();
        foreach (var method in new[] { "POST", "DELETE", "GET" })
        {
            using var client = balancer.CreateClient(); // a new connection: on one that was used before, HAProxy leaves it to the client to repeat
            using var request = new HttpRequestMessage(new HttpMethod(method), "/luma/generations/g1") { Content = method is "POST" ? new StringContent("hello") : null };
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
            sent[method] = gateways.SelectMany(gateway => gateway.Received).Count(received => received.StartsWith(method, StringComparison.Ordinal));
        }

        Assert.Equal((1, 1, 3), (sent["POST"], sent["DELETE"], sent["GET"]));
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task What_a_caller_claims_of_its_way_here_is_written_anew(string program)
    {
        await using var gateway = new RecordingGateway();
        await using var balancer = await BalancerProcess.StartAsync(program, [gateway.Port]);
        using var client = balancer.CreateClient(balancer.SecureAddress, HttpVersion.Version20, from: IPAddress.Parse("127.0.0.5"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (var header in new[] { "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Port", "X-Real-IP" })
        {
            request.Headers.TryAddWithoutValidation(header, "forged.test");
        }

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => gateway.Received.Count > 0, () => "Nothing came.");

        var received = Assert.Single(gateway.Received);
        Assert.DoesNotContain("forged", received, StringComparison.Ordinal);
        Assert.Contains("x-forwarded-for: 127.0.0.5\r\n", received, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("x-forwarded-proto: https\r\n", received, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("x-api-key: " + GatewayProcess.ClientKey, received, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task The_secret_of_the_callbacks_path_is_not_logged_even_where_no_gateway_answers(string program)
    {
        await using var balancer = await BalancerProcess.StartAsync(program, [FreePort.Lasting()]);
        using var client = balancer.CreateClient();

        using var callback = await client.PostAsync(new Uri("/callbacks/luma/CANARYsecret", UriKind.Relative), new StringContent("{}"), TestContext.Current.CancellationToken);
        using var other = await client.GetAsync(new Uri("/generations/logged", UriKind.Relative), TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => balancer.Log.Any(line => line.Contains("/generations/logged", StringComparison.Ordinal)), () => "Nothing was logged.");

        Assert.True((int)callback.StatusCode >= 500);
        Assert.DoesNotContain(balancer.Log, line => line.Contains("CANARY", StringComparison.Ordinal));
    }

    /// <summary>The first line of the answer, which is all that is judged; empty where the other side closes without one.</summary>
    private static async Task<string> SendAsync(Uri address, string request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        using var patience = new CancellationTokenSource(Wait.Patience, TimeProvider.System);
        try
        {
            while (!answer.ToString().Contains('\n') && await socket.ReceiveAsync(buffer, patience.Token) is > 0 and var length)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, length));
            }
        }
        catch (SocketException)
        {
            // The other side closed it.
        }

        return answer.ToString();
    }

    [GeneratedRegex(@"^(HTTP/1\.[01] (400|405|411|417|501) |<html>)")]
    private static partial Regex Refusal();

    /// <summary>One request: a line, headers that are names and plain values, one host, one way of telling the body's length at most, and no byte after it.</summary>
    private static bool HasOneReading(string received)
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
