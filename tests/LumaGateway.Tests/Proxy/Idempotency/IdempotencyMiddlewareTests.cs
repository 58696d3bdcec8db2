using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Support;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Jobs;
using LumaGateway.Tests.Redis;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>POST requests with an idempotency key. Redis and the forwarder are fakes. Needs nothing.</summary>
public sealed class IdempotencyMiddlewareTests : IDisposable
{
    private const int MaxBodyBytes = 2 * 1024 * 1024;
    private const int MaxResponseBytes = 1024 * 1024;

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private readonly UpstreamAccounts _accounts;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly IdempotencyMiddleware _middleware;
    private readonly MetricCollector<long> _replays;

    /// <summary>The fake forwarder. By default it responds with 201 and a body.</summary>
    private Func<HttpContext, Task> _forward = context => RespondAsUpstreamAsync(context, 201, "created");

    private int _forwarded;

    public IdempotencyMiddlewareTests()
    {
        _redis = new FakeRedis(_clock);
        _accounts = TestAccounts.Create(new MonotonicClock(_clock), null, TestAccounts.Named("account"));
        var options = Options.Create(new PassthroughOptions { MaxBodyBytes = MaxBodyBytes });
        var ledger = new IdempotencyLedger(
            new RedisIdempotencyStore(Ledgers.Database(_redis, _clock), Signers.None, Ledgers.Options), new RedisKeyspace("account", "dialect", "1"), options, _clock, NullLogger<IdempotencyLedger>.Instance);
        var meters = _services.GetRequiredService<IMeterFactory>();
        _replays = new MetricCollector<long>(meters, Instrumentation.Name, "luma_gateway.passthrough.replays");
        _middleware = new IdempotencyMiddleware(ForwardAsync, ledger, Ledgers.CreateJobs(meters, _clock), new BodySpooler(options, NullLogger<BodySpooler>.Instance), new ProxyMetrics(meters, _accounts), options, _clock);
    }

    public void Dispose()
    {
        _replays.Dispose();
        _accounts.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_repetition_gets_the_recorded_response_without_the_headers_of_the_first_exchange()
    {
        _forward = context =>
        {
            context.Response.Headers.ContentType = "application/json";
            context.Response.Headers.ETag = "\"tag\"";
            context.Response.Headers.Date = "of the first exchange";
            context.Response.Headers["x-request-id"] = "of the first request";
            return RespondAsUpstreamAsync(context, 201, "created");
        };

        var first = await SendAsync("k1");
        var second = await SendAsync("k1");

        Assert.Equal((201, "created", "application/json", 7L), (second.Status, second.Body, second.Header("Content-Type"), second.ContentLength));
        Assert.Equal("\"tag\"", second.Header("ETag"));
        Assert.Equal(("", ""), (second.Header("Date"), second.Header("x-request-id")));
        Assert.Equal((201, "created", 7L), (first.Status, first.Body, first.ContentLength));
        Assert.Equal(("", "true"), (first.Header("Idempotency-Replayed"), second.Header("Idempotency-Replayed")));
        Assert.Equal(1, _forwarded);
        Assert.Equal(1, Assert.Single(_replays.GetMeasurementSnapshot()).Value);
    }

    [Fact]
    public async Task Every_header_that_describes_the_response_is_replayed()
    {
        string[] names =
            ["Content-Type", "Content-Language", "Content-Encoding", "Content-Disposition", "ETag", "Last-Modified", "Cache-Control", "x-should-retry"];
        _forward = context =>
        {
            Array.ForEach(names, name => context.Response.Headers[name] = $"value of {name}");
            return RespondAsUpstreamAsync(context, 201, "created");
        };
        await SendAsync("k1");

        var second = await SendAsync("k1");

        Assert.All(names, name => Assert.Equal($"value of {name}", second.Header(name)));
    }

    [Fact]
    public async Task A_response_without_a_body_is_replayed_without_one()
    {
        _forward = context => RespondAsUpstreamAsync(context, 201, "");

        var responses = new[] { await SendAsync("k1"), await SendAsync("k1") };

        Assert.All(responses, response => Assert.Equal((201, "", null), (response.Status, response.Body, response.ContentLength)));
        Assert.Equal("true", responses[1].Header("Idempotency-Replayed"));
    }

    [Theory]
    [InlineData("GET", "k1")]
    [InlineData("PUT", "k1")]
    [InlineData("POST", null)]
    public async Task A_request_with_another_method_or_without_a_key_is_forwarded_and_not_recorded(string method, string? key)
    {
        await SendAsync(key, method: method);
        await SendAsync(key, method: method);

        Assert.Equal(2, _forwarded);
        Assert.Empty(_redis.Keys);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("ü", false)]
    [InlineData("\u007f", false)]
    [InlineData("!", true)]
    [InlineData("~", true)]
    public async Task A_key_consists_of_visible_ASCII_characters(string key, bool isValid) => await AssertKeyAsync(isValid, key);

    [Fact]
    public async Task A_key_has_at_most_255_characters_and_is_sent_once()
    {
        await AssertKeyAsync(true, new string('k', 255));
        await AssertKeyAsync(false, new string('k', 256));
        await AssertKeyAsync(false, "k1", "k2");
    }

    [Theory]
    [InlineData(MaxBodyBytes, true, 200)]
    [InlineData(MaxBodyBytes + 1, true, 413)]
    [InlineData(MaxBodyBytes, false, 200)]
    [InlineData(MaxBodyBytes + 1, false, 413)]
    public async Task A_body_has_at_most_the_configured_size_with_or_without_a_content_length(int length, bool hasContentLength, int status)
    {
        _forward = context => RespondAsUpstreamAsync(context, 200, "");
        var response = await SendAsync("k1", body: new string('x', length), hasContentLength: hasContentLength);

        Assert.Equal(status, response.Status);
        Assert.Equal(status == 200 ? 1 : 0, _forwarded);
        if (status == 413)
        {
            Assert.Equal("request_too_large", response.Code);
        }
    }

    [Fact]
    public async Task A_body_with_a_content_length_above_the_limit_is_not_read()
    {
        var body = new MemoryStream(new byte[MaxBodyBytes + 1]);

        await SendAsync("k1", change: request => (request.Body, request.ContentLength) = (body, body.Length));

        Assert.Equal(0, body.Position);
    }

    [Fact]
    public async Task The_buffer_grows_with_the_received_bytes_and_not_with_the_content_length()
    {
        var body = new ReadRecorder(new byte[MaxBodyBytes]);

        var response = await SendAsync("k1", change: request => (request.Body, request.ContentLength) = (body, MaxBodyBytes));

        Assert.Equal(201, response.Status);
        Assert.All(body.Reads, read => Assert.InRange(read.Buffer, 1, Math.Max(16 * 1024, read.Before)));
    }

    [Fact]
    public async Task The_upstream_gets_the_whole_body_with_its_length_and_identity_as_accept_encoding()
    {
        var received = "";
        _forward = async context =>
        {
            var request = context.Request;
            received = $"{await new StreamReader(request.Body).ReadToEndAsync(TestContext.Current.CancellationToken)} {request.Headers.ContentLength} [{request.Headers.TransferEncoding}] [{request.Headers.AcceptEncoding}]";
            await RespondAsUpstreamAsync(context, 201, "created");
        };

        await SendAsync("k1", body: "body", hasContentLength: false, change: request =>
        {
            request.Headers.TransferEncoding = "chunked";
            request.Headers.AcceptEncoding = "br";
        });

        Assert.Equal("body 4 [] [identity]", received);
    }

    [Fact]
    public async Task Another_body_or_query_with_the_same_key_is_a_422()
    {
        await SendAsync("k1", body: "cat");

        Assert.Equal((422, "idempotency_key_reused"), await ProblemAsync(SendAsync("k1", body: "dog")));
        Assert.Equal((422, "idempotency_key_reused"), await ProblemAsync(SendAsync("k1", body: "cat", change: request => request.QueryString = new QueryString("?x=1"))));
        Assert.Equal(1, _forwarded);
    }

    [Fact]
    public async Task The_end_of_the_query_and_the_start_of_the_body_are_not_interchangeable()
    {
        await SendAsync("k1", body: "cat", change: request => request.QueryString = new QueryString("?a"));

        Assert.Equal(422, (await SendAsync("k1", body: "?acat")).Status);
    }

    [Theory]
    [InlineData("client")]
    [InlineData("route")]
    public async Task The_same_key_of_another_client_or_route_is_another_create(string difference)
    {
        await SendAsync("k1");

        var other = await SendAsync("k1", client: difference == "client" ? "other" : "client", change: request =>
        {
            if (difference == "route")
            {
                request.HttpContext.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/luma/other"), 0, null, null));
            }
        });

        Assert.Equal((201, ""), (other.Status, other.Header("Idempotency-Replayed")));
        Assert.Equal(2, _forwarded);
    }

    [Fact]
    public async Task A_repetition_of_a_running_create_gets_retry_after_2_seconds()
    {
        var forwarding = new HeldStep();
        _forward = async context =>
        {
            await forwarding.HoldAsync();
            await RespondAsUpstreamAsync(context, 201, "created");
        };
        var first = SendAsync("k1");
        await forwarding.ReachedAsync();

        var second = await SendAsync("k1");

        Assert.Equal((409, "create_in_progress", "2"), (second.Status, second.Code, second.Header("Retry-After")));
        forwarding.Release();
        Assert.Equal(201, (await first).Status);
        Assert.Equal("true", (await SendAsync("k1")).Header("Idempotency-Replayed"));
    }

    [Fact]
    public async Task The_outcome_is_recorded_before_the_response_is_sent()
    {
        var recording = _redis.Hold("replace", "");
        var sent = new MemoryStream();
        var first = SendAsync("k1", sent: sent);
        await recording.ReachedAsync();

        Assert.Equal(0, sent.Length);
        recording.Release();
        await first;

        Assert.Equal("created", Encoding.UTF8.GetString(sent.ToArray()));
    }

    [Theory]
    [InlineData("Settled", "replayed")]
    [InlineData("Refused", "sent again")]
    [InlineData("Unknown", "outcome_unknown")]
    public async Task The_outcome_of_the_upstreams_response_decides_what_a_repetition_gets(string outcome, string repetition)
    {
        _forward = context =>
        {
            context.Features.Set(new CreateOutcomeFeature(Enum.Parse<CreateOutcome>(outcome)));
            return WriteResponseAsync(context, 500, "response");
        };
        Assert.Equal(500, (await SendAsync("k1")).Status);

        Assert.Equal(repetition, await RepetitionAsync());
    }

    [Fact]
    public async Task A_response_of_the_gateway_itself_releases_the_key()
    {
        _forward = context => WriteResponseAsync(context, 400, "refused by the gateway");

        Assert.Equal("refused by the gateway", (await SendAsync("k1")).Body);

        Assert.Equal("sent again", await RepetitionAsync());
    }

    [Theory]
    [InlineData(ForwarderError.RequestCreation, "sent again")]
    [InlineData(ForwarderError.RequestTimedOut, "outcome_unknown")]
    public async Task A_forwarding_error_overrides_the_response_and_its_body_is_not_sent(ForwarderError error, string repetition)
    {
        _forward = context =>
        {
            context.Features.Set<IForwarderErrorFeature>(new Failure(error, null));
            return RespondAsUpstreamAsync(context, 201, "half a response");
        };

        Assert.Equal("", (await SendAsync("k1")).Body);

        Assert.Equal(repetition, await RepetitionAsync());
    }

    [Theory]
    [InlineData(null, "sent again")]
    [InlineData(false, "sent again")]
    [InlineData(true, "outcome_unknown")]
    public async Task The_outcome_of_a_create_that_throws_is_unknown_if_sending_has_started(bool? isSent, string repetition)
    {
        _forward = context =>
        {
            var progress = isSent is null ? null : new SendProgress();
            context.Features.Set(progress);
            if (isSent is true)
            {
                progress!.Start();
            }

            throw new InvalidOperationException("broken");
        };

        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync("k1"));

        Assert.Equal(repetition, await RepetitionAsync());
    }

    [Fact]
    public async Task The_outcome_is_unknown_if_reading_the_response_headers_throws()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(
            "k1", change: request => request.HttpContext.Features.GetRequiredFeature<IHttpResponseFeature>().Headers = new UnreadableHeaders()));

        Assert.Equal("outcome_unknown", await RepetitionAsync());
    }

    [Fact]
    public async Task The_outcome_is_unknown_if_recording_it_throws()
    {
        var recording = _redis.Hold("replace", "");
        var creating = SendAsync("k1");
        await recording.ReachedAsync();

        recording.Fail(new InvalidOperationException("broken"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => creating);
        Assert.Equal("outcome_unknown", await RepetitionAsync());
    }

    [Fact]
    public async Task The_outcome_is_unknown_if_the_response_is_larger_than_one_mebibyte()
    {
        _forward = context => RespondAsUpstreamAsync(context, 201, new string('x', MaxBodyBytes + 1));

        await Assert.ThrowsAsync<IOException>(() => SendAsync("k1"));

        Assert.Equal("outcome_unknown", await RepetitionAsync());
    }

    [Fact]
    public async Task A_response_of_one_mebibyte_is_replayed()
    {
        _forward = context => RespondAsUpstreamAsync(context, 201, new string('x', MaxResponseBytes));
        await SendAsync("k1");

        Assert.Equal(MaxResponseBytes, (await SendAsync("k1")).Body.Length);
    }

    [Fact]
    public async Task No_create_is_sent_if_Redis_does_not_confirm_the_claim()
    {
        using var failing = _redis.Fail("add");

        Assert.Equal((503, "idempotency_unavailable"), await ProblemAsync(SendAsync("k1")));
        Assert.Equal(0, _forwarded);
    }

    [Fact]
    public async Task A_create_continues_if_its_caller_disconnects()
    {
        using var disconnecting = new CancellationTokenSource();
        var forwarding = new HeldStep();
        var cancelled = true;
        _forward = async context =>
        {
            await forwarding.HoldAsync();
            cancelled = context.RequestAborted.IsCancellationRequested;
            await RespondAsUpstreamAsync(context, 201, "created");
        };
        var first = SendAsync("k1", change: request => request.HttpContext.RequestAborted = disconnecting.Token);
        await forwarding.ReachedAsync();

        await disconnecting.CancelAsync();
        forwarding.Release();
        await Task.WhenAny(first);

        Assert.False(cancelled);
        Assert.Equal("replayed", await RepetitionAsync());
    }

    private static Task RespondAsUpstreamAsync(HttpContext context, int status, string body)
    {
        context.Features.Set(new CreateOutcomeFeature(CreateOutcome.Settled));
        return WriteResponseAsync(context, status, body);
    }

    private static async Task WriteResponseAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body), context.RequestAborted);
    }

    private static async Task<(int Status, string? Code)> ProblemAsync(Task<Response> sending)
    {
        var response = await sending;
        return (response.Status, response.Code);
    }

    private async Task AssertKeyAsync(bool isValid, params string[] keys)
    {
        var before = _forwarded;
        var context = Request("client", "POST", "body", true, new MemoryStream());
        context.Request.Headers["Idempotency-Key"] = keys;

        var response = await InvokeAsync(context);

        Assert.Equal(isValid ? (201, before + 1) : (400, before), (response.Status, _forwarded));
        if (!isValid)
        {
            Assert.Equal("invalid_request", response.Code);
            Assert.Contains("Idempotency-Key must be one value of 1 to 255 visible ASCII characters.", response.Body, StringComparison.Ordinal);
        }
    }

    /// <summary>Repeats the create with the key <c>k1</c> and returns the result.</summary>
    private async Task<string> RepetitionAsync()
    {
        var before = _forwarded;
        _forward = context => RespondAsUpstreamAsync(context, 201, "created by the repetition");
        var response = await SendAsync("k1");
        return response.Header("Idempotency-Replayed") == "true" ? "replayed" : _forwarded > before ? "sent again" : response.Code!;
    }

    private Task ForwardAsync(HttpContext context)
    {
        Interlocked.Increment(ref _forwarded);
        return _forward(context);
    }

    private Task<Response> SendAsync(
        string? key,
        string method = "POST",
        string body = "body",
        string client = "client",
        bool hasContentLength = true,
        Action<HttpRequest>? change = null,
        Stream? sent = null)
    {
        var context = Request(client, method, body, hasContentLength, sent ?? new MemoryStream());
        if (key is not null)
        {
            context.Request.Headers["Idempotency-Key"] = key;
        }

        change?.Invoke(context.Request);
        return InvokeAsync(context);
    }

    private DefaultHttpContext Request(string client, string method, string body, bool hasContentLength, Stream sent)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(new RateLimitLease(new Client(client, Permissions.Create, new ClientLimiter(_clock, new ClientLimits(100, 100, 100, 1)))));
        context.Features.Set(ProxyAccount.Given(_accounts.First));
        var bytes = Encoding.UTF8.GetBytes(body);
        context.Request.Method = method;
        context.Request.Path = "/luma/generations";
        context.Request.Body = new MemoryStream(bytes);
        context.Request.ContentLength = hasContentLength ? bytes.Length : null;
        context.Response.Body = sent;
        return context;
    }

    private async Task<Response> InvokeAsync(HttpContext context)
    {
        var sent = (MemoryStream)context.Response.Body;
        await _middleware.InvokeAsync(context).WithTimeout();
        return new Response(context.Response, Encoding.UTF8.GetString(sent.ToArray()));
    }

    private sealed record Response(HttpResponse HttpResponse, string Body)
    {
        public int Status => HttpResponse.StatusCode;

        public long? ContentLength => HttpResponse.ContentLength;

        /// <summary>The problem's code; null if the response is not a problem.</summary>
        public string? Code => HttpResponse.ContentType == "application/problem+json" ? JsonDocument.Parse(Body).RootElement.GetProperty("code").GetString() : null;

        public string Header(string name) => HttpResponse.Headers[name].ToString();
    }

    /// <summary>Records for each read the bytes read before and the size of the buffer.</summary>
    private sealed class ReadRecorder(byte[] bytes) : MemoryStream(bytes)
    {
        public List<(int Before, int Buffer)> Reads { get; } = [];

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Reads.Add(((int)Position, buffer.Length));
            return base.ReadAsync(buffer, cancellationToken);
        }
    }

    private sealed class UnreadableHeaders : HeaderDictionary, IHeaderDictionary
    {
        bool IDictionary<string, StringValues>.ContainsKey(string key) => throw new InvalidOperationException("broken");
    }

    private sealed record Failure(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
}
