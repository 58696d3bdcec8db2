using System.Net;
using System.Text;
using LumaGateway.Tests.Assets;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Hosting;

/// <summary>The log levels of disconnected callers and of upstream faults. Only an event that an operator must act on is an Error, and only a defect logs a stack trace.</summary>
public sealed class LogLevelTests : IAsyncLifetime
{
    private const int Rounds = 12;

    private static readonly byte[] Chunk = new byte[64 * 1024];

    private Loopback _upstream = null!;
    private Gateway _gateway = null!;
    private int _upstreamRequests;
    private string _link = "";

    public async ValueTask InitializeAsync()
    {
        _upstream = await Loopback.StartAsync(RespondAsync);
        _gateway = new Gateway().WithUpstream(_upstream.Address).With("Luma:Retries", "0")
            .With("Assets:AllowHttp", "true").With("Assets:AllowedHosts:0", new Uri(_upstream.Address).Authority).With("Assets:AllowedNetworks:0", "127.0.0.0/8");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Disconnected_callers_on_every_route_log_no_error_and_no_stack_trace(string version)
    {
        if (version is "2.0")
        {
            _gateway.With("Kestrel:EndpointDefaults:Protocols", "Http2"); // without TLS the protocol cannot be negotiated
        }

        var (main, _) = ListeningGateway.Start(_gateway);
        var logs = _gateway.Logs;
        (string Method, string Path)[] requests =
        [
            ("GET", "/generations/done"), ("GET", "/generations/slow"), ("GET", "/generations/long"), ("GET", "/generations?ids=done,slow,long"), ("GET", "/generations/unfinished/events"),
            ("GET", "/generations/done/video"), ("GET", "/luma/generations/done"), ("GET", "/luma/generations/slow"), ("GET", "/luma/generations/long"), ("POST", "/luma/generations"),
            ("POST", "/luma/generations/slow/extend"), ("POST", "/luma/generations/long/extend"), ("DELETE", "/luma/generations/slow"), ("DELETE", "/generations/done/cache"), ("GET", "/openapi/v1.json"), ("GET", "/health/ready"), ("GET", "/nowhere"),
        ];

        for (var round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(requests.Select(request => DisconnectAsync(main, request.Method, request.Path, version, round)));
        }

        await DisconnectDuringHitsAsync(main, version);
        Assert.True(_upstreamRequests > Rounds, $"Only {_upstreamRequests} requests reached the upstream.");
        await _gateway.DisposeAsync(); // waits until every request has ended
        AssertNoErrors(logs);
    }

    [Fact]
    public async Task Incomplete_requests_log_no_error_and_no_stack_trace()
    {
        var (main, _) = ListeningGateway.Start(_gateway);
        var logs = _gateway.Logs;
        string[] requests =
        [
            "GET /generations/done HTTP/1.1\r\nHost: a\r\n", $"POST /luma/generations HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\nContent-Length: 100\r\n\r\n{{\"prompt\":",
            $"POST /luma/generations HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\nIdempotency-Key: k\r\nContent-Length: 100\r\n\r\n{{\"prompt\":",
            $"POST /luma/generations HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{{\"pro\r\n",
            "POST /callbacks/luma/unknown HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{", $"GET /luma/generations/long HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\n\r\n",
            $"GET /generations/slow HTTP/1.1\r\nHost: a\r\nX-Api-Key: {Gateway.Key}\r\n\r\nGET /generations/slow HTTP/1.1\r\nHost: a\r\n",
        ];

        for (var round = 0; round < Rounds; round++)
        {
            foreach (var request in requests)
            {
                using var connection = await RawConnection.OpenAsync(main);
                await connection.SendAsync(request);
                if (round % 2 == 0)
                {
                    connection.Finish();
                }
            }
        }

        await _gateway.DisposeAsync();
        AssertNoErrors(logs);
    }

    [Theory]
    [InlineData("/generations/done/video", "http://not-listed.test/v.mp4")]
    [InlineData("/generations/done/video", "http://127.0.0.2:1/v.mp4")]
    [InlineData("/luma/generations/reset", "")]
    [InlineData("/generations/reset", "")]
    public async Task A_fault_with_a_problem_response_logs_no_stack_trace(string path, string link)
    {
        _link = link;
        _gateway.With("Assets:AllowedHosts:1", "127.0.0.2:1");
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync(path);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        AssertNoErrors(_gateway.Logs);
    }

    [Fact]
    public async Task A_refused_asset_logs_one_event_that_names_the_setting()
    {
        await using var cdn = await Cdn.StartAsync();
        await using var gateway = AssetGateway.For(cdn).Resolving(IPAddress.Parse("10.0.0.1")).With("Assets:AllowedNetworks:0", null);
        gateway.Upstream.AlwaysJson(AssetGateway.Completed(cdn.Link()));
        using var caller = gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1/video");

        var line = Assert.Single(gateway.Logs.GetSnapshot(), record => record.Level >= LogLevel.Warning);
        Assert.Null(line.Exception);
        Assert.Contains("Assets:AllowedNetworks", line.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Assets:AllowedHosts", line.Message, StringComparison.Ordinal);
    }

    private static void AssertNoErrors(FakeLogCollector logs)
    {
        var errors = logs.GetSnapshot().Where(record => record.Level >= LogLevel.Error || (record.Level >= LogLevel.Warning && record.Exception is not null));
        var lines = errors.Select(record => $"{record.Level} {record.Category} {record.Id.Id}: {record.Message} {record.Exception}").Distinct().ToList();
        Assert.True(lines.Count == 0, string.Join('\n', lines));
    }

    /// <summary>Disconnects at once, after a while, at the first byte or after some bytes.</summary>
    private static async Task DisconnectAsync(Uri main, string method, string path, string version, int round)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var early = new CancellationTokenSource(round % 4 < 2 ? TimeSpan.FromMilliseconds(1 + (round * 3)) : TimeSpan.FromSeconds(2), TimeProvider.System);
        using var disconnect = CancellationTokenSource.CreateLinkedTokenSource(early.Token, TestContext.Current.CancellationToken);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(main, path)) { Version = new Version(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("X-Api-Key", Gateway.Key);
        if (round % 3 == 0)
        {
            request.Headers.Add("Prefer", "wait=20");
        }

        if (method is "POST")
        {
            request.Content = new StringContent("""{"prompt":"cat"}""", Encoding.UTF8, "application/json");
            if (round % 2 == 0)
            {
                request.Headers.Add("Idempotency-Key", $"{path}-{round}");
            }
        }

        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, disconnect.Token);
            if (round % 4 == 3)
            {
                await using var stream = await response.Content.ReadAsStreamAsync(disconnect.Token);
                await stream.ReadAtLeastAsync(new byte[10], 10, throwOnEndOfStream: false, disconnect.Token); // disconnects before the end of the body
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException or IOException)
        {
            // The request was cancelled.
        }
    }

    /// <summary>Hits are served before the middleware that handles disconnected callers, so they are tested separately.</summary>
    private static async Task DisconnectDuringHitsAsync(Uri main, string version)
    {
        for (var round = 0; round < 20; round++)
        {
            // A connection for each round: Kestrel closes one with a critical event if its caller resets hundreds of streams faster than Kestrel can write.
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            await Task.WhenAll(Enumerable.Range(0, 40).Select(async number =>
            {
                using var disconnect = new CancellationTokenSource();
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(main, "/generations/done")) { Version = new Version(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
                request.Headers.Add("X-Api-Key", Gateway.Key);
                var sending = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, disconnect.Token);
                for (var yields = 0; yields < number; yields++)
                {
                    await Task.Yield();
                }

                await disconnect.CancelAsync();
                try
                {
                    using var response = await sending;
                }
                catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException)
                {
                    // The request was cancelled before its response.
                }
            }));
        }
    }

    private async Task RespondAsync(HttpContext context)
    {
        Interlocked.Increment(ref _upstreamRequests);
        var path = context.Request.Path.Value!;
        try
        {
            if (path.Contains("reset", StringComparison.Ordinal))
            {
                context.Abort();
            }
            else if (path.Contains("slow", StringComparison.Ordinal))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(40), TimeProvider.System, context.RequestAborted);
                await context.Response.WriteAsync(Samples.Failed("slow"), context.RequestAborted);
            }
            else if (path.Contains("long", StringComparison.Ordinal) || path.EndsWith(".mp4", StringComparison.Ordinal))
            {
                context.Response.ContentType = path.EndsWith(".mp4", StringComparison.Ordinal) ? "video/mp4" : "application/json";
                for (var i = 0; i < 100; i++)
                {
                    await context.Response.Body.WriteAsync(Chunk, context.RequestAborted);
                }
            }
            else if (path.Contains("unfinished", StringComparison.Ordinal))
            {
                await context.Response.WriteAsync(Samples.Interim("unfinished"), context.RequestAborted);
            }
            else
            {
                var link = _link.Length > 0 ? _link : $"{_upstream.Address}/v.mp4";
                await context.Response.WriteAsync($$$"""{"id":"done","state":"completed","video":{"url":"{{{link}}}"}}""", context.RequestAborted);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The gateway closed the connection.
        }
    }
}
