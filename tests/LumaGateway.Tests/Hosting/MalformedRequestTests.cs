using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Hosting;

/// <summary>Malformed requests that no HTTP client sends. Uses real sockets.</summary>
public sealed partial class MalformedRequestTests : IDisposable
{
    public static TheoryData<Exception> Disconnects =>
        [new IOException("The request stream was aborted.", new ConnectionAbortedException("The HTTP/2 connection faulted.")), new ConnectionResetException("The client reset the connection.")];

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Every_random_request_gets_a_response_or_a_closed_connection_without_a_500_or_a_logged_error()
    {
        var count = PropertyCases.Of(20_000);
        var seed = int.Parse(Environment.GetEnvironmentVariable("LUMA_FUZZ_SEED") ?? "4", CultureInfo.InvariantCulture);
        var forwarded = new ConcurrentDictionary<string, bool>();
        await using var upstream = await Loopback.StartAsync(context =>
        {
            forwarded.TryAdd(context.Request.Path.Value!, true);
            return context.Response.WriteAsync(Samples.Failed(context.Request.Path.Value!.Split('/')[^1]), context.RequestAborted);
        });
        _gateway.WithUpstream($"{upstream.Address}/luma");
        var address = Start();
        var statuses = new ConcurrentDictionary<string, int>();
        var failures = new ConcurrentQueue<string>();

        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = TestContext.Current.CancellationToken },
            async (number, _) =>
            {
                var request = RandomRequest.Next(new Random(seed + number));
                var response = await SendAsync(address, request, isAll: true);
                var codes = response is null ? ["hang"] : StatusLine().Matches(response).Select(line => line.Groups[1].Value).DefaultIfEmpty("closed").ToList();
                codes.ForEach(code => statuses.AddOrUpdate(code, 1, (_, before) => before + 1));
                if (codes.Any(code => code is "hang" or "500") || (response is not null && InjectedHeader().IsMatch(response)))
                {
                    failures.Enqueue($"{number}: {request}\n-> {response}");
                }
            });

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(' ', statuses.OrderBy(status => status.Key).Select(status => $"{status.Key}:{status.Value}")));
        Assert.Empty(failures);
        Assert.DoesNotContain(_gateway.Logs.GetSnapshot(), record => record.Level >= LogLevel.Error);
        Assert.Contains("/luma/generations/g1", forwarded.Keys);
        Assert.DoesNotContain(forwarded.Keys, path => !path.StartsWith("/luma/generations/", StringComparison.Ordinal) || path.Split('/').Any(segment => segment is "." or ".."));
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 6")]
    [InlineData("Content-Length: 5, 5")]
    [InlineData("Content-Length: -1")]
    [InlineData("Transfer-Encoding: chunked, identity")]
    [InlineData("Transfer-Encoding : chunked")]
    [InlineData(" X-Folded: start")]
    [InlineData("X Y: z")]
    [InlineData("no colon")]
    [InlineData("Host: second.test")]
    public async Task An_ambiguous_request_is_refused_and_its_connection_is_closed(string header)
    {
        var response = await SendAsync(Start(), $"POST /generations/g1 HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\nhello");

        Assert.StartsWith("HTTP/1.1 400", response, StringComparison.Ordinal);
        Assert.Contains("Connection: close", response, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST /generations/g1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Content-Length and Transfer-Encoding")]
    [InlineData("GET /generations/g1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "Content-Length and Transfer-Encoding")]
    [InlineData("GET /generations/g1 HTTP/1.1\r\nHost:\r\n\r\n", "Host header is empty")]
    public async Task A_request_that_Kestrel_accepts_against_the_RFC_is_refused_and_its_connection_is_closed(string request, string detail)
    {
        var response = await SendAsync(Start(), request);

        Assert.StartsWith("HTTP/1.1 400", response, StringComparison.Ordinal);
        Assert.Contains("Connection: close", response, StringComparison.Ordinal);
        Assert.Contains("\"invalid_request\"", response, StringComparison.Ordinal);
        Assert.Contains(detail, response, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: a\r\nX-Content-Length: 5\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n")]
    [InlineData("GET http://a/health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /health/live HTTP/1.0\r\n\r\n")]
    public async Task A_valid_request_is_not_refused(string request) => Assert.StartsWith("HTTP/1.1 200", await SendAsync(Start(), request), StringComparison.Ordinal);

    [Theory]
    [InlineData("X-Long", 20_000, 1, "431")]
    [InlineData("X-Many", 1, 100, "431")]
    public async Task Headers_over_the_limits_are_refused(string name, int length, int count, string status)
    {
        var headers = string.Concat(Enumerable.Range(0, count).Select(number => $"{name}-{number}: {new string('v', length)}\r\n"));

        Assert.StartsWith($"HTTP/1.1 {status}", await SendAsync(Start(), $"GET /health/live HTTP/1.1\r\nHost: a\r\n{headers}\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_line_over_the_limit_is_refused() =>
        Assert.StartsWith("HTTP/1.1 414", await SendAsync(Start(), $"GET /{new string('p', 17_000)} HTTP/1.1\r\nHost: a\r\n\r\n"), StringComparison.Ordinal);

    [Fact]
    public async Task OPTIONS_of_the_whole_server_gets_204() =>
        Assert.StartsWith("HTTP/1.1 204", await SendAsync(Start(), "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFFF")]
    [InlineData("zz")]
    public async Task An_invalid_chunk_size_is_a_400(string size)
    {
        await using var upstream = await Loopback.StartAsync(async context => await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted));
        _gateway.WithUpstream(upstream.Address)
            .With("ReverseProxy:Routes:creating:ClusterId", "luma")
            .With("ReverseProxy:Routes:creating:Match:Path", "/luma/created")
            .With("ReverseProxy:Routes:creating:Match:Methods:0", "POST");

        var response = await SendAsync(Start(), $"POST /luma/created HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nhello\r\n");

        Assert.StartsWith("HTTP/1.1 400", response, StringComparison.Ordinal);
        Assert.Contains("\"invalid_request\"", response, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_exception_of_Kestrel_for_a_chunk_size_becomes_a_400()
    {
        var context = new DefaultHttpContext();

        var handled = await new ProblemExceptionHandler().TryHandleAsync(context, new IOException("Bad chunk size data.", new OverflowException()), TestContext.Current.CancellationToken);

        Assert.True(handled);
        Assert.Equal(400, context.Response.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Disconnects))]
    public async Task The_exception_of_Kestrel_for_a_closed_connection_becomes_a_499(Exception disconnect)
    {
        var context = new DefaultHttpContext(); // RequestAborted is not cancelled yet

        var handled = await new ProblemExceptionHandler().TryHandleAsync(context, disconnect, TestContext.Current.CancellationToken);

        Assert.True(handled);
        Assert.Equal(499, context.Response.StatusCode);
    }

    [Fact]
    public async Task Another_exception_of_a_stream_is_not_handled() => Assert.False(await new ProblemExceptionHandler().TryHandleAsync(
        new DefaultHttpContext(), new IOException("The disk is full."), TestContext.Current.CancellationToken));

    [Fact]
    public async Task CONNECT_is_a_405() =>
        Assert.StartsWith("HTTP/1.1 405", await SendAsync(Start(), "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);

    [Fact]
    public async Task A_thousand_slow_connections_do_not_delay_other_requests()
    {
        const string Unfinished = "GET /generations/g1 HTTP/1.1\r\nHost: a\r\nX-Slow: ";
        _gateway.With(services => services.PostConfigure<KestrelServerOptions>(kestrel => kestrel.Limits.UseLongTimeouts()));
        var address = Start();
        var slow = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => RawConnection.OpenAsync(address)));
        await Task.WhenAll(slow.Select(connection => connection.SendAsync(Unfinished)));
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);

        for (var i = 0; i < 100; i++)
        {
            using var response = await client.SendGetAsync("/generations/g1");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        // The slow connections are still open: each can finish its request.
        await slow[^1].SendAsync($"1\r\nX-Api-Key: {Gateway.Key}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await slow[^1].ReadToEndAsync(), StringComparison.Ordinal);
        Array.ForEach(slow, connection => connection.Dispose());
    }

    [Fact]
    public async Task A_connection_whose_headers_time_out_gets_408_and_is_closed()
    {
        _gateway.With("Server:HeaderTimeout", "00:00:01"); // Kestrel uses the real clock here

        var response = await SendAsync(Start(), "GET /generations/g1 HTTP/1.1\r\nHost: a\r\nX-Slow: ");

        Assert.StartsWith("HTTP/1.1 408", response, StringComparison.Ordinal);
    }

    private Uri Start()
    {
        _gateway.With("urls", "http://127.0.0.1:0").With("Logging:LogLevel:Default", "Warning").With("Limits:RequestsPerSecond", "0").With("Limits:Concurrency", "0");
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))));
        _gateway.UseKestrel();
        _gateway.StartServer();
        return new Uri(_gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    /// <param name="address">The address of the gateway.</param>
    /// <param name="request">The request; each character is one byte.</param>
    /// <param name="isAll">Closes the sending direction, so that the server does not wait for the rest of an incomplete request. The response can be lost.</param>
    private static async Task<string?> SendAsync(Uri address, string request, bool isAll = false)
    {
        using var connection = await RawConnection.OpenAsync(address);
        try
        {
            await connection.SendAsync(request);
            if (isAll)
            {
                connection.Finish();
            }
        }
        catch (System.Net.Sockets.SocketException)
        {
            // The server refused the request before it was complete.
        }

        return await connection.ReadToEndAsync();
    }

    [GeneratedRegex(@"HTTP/1\.[01] (\d{3})")]
    private static partial Regex StatusLine();

    [GeneratedRegex(@"^Injected:", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex InjectedHeader();
}
