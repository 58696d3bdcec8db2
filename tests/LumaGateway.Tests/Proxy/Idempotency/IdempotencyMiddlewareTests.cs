using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Redis;
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

/// <summary>A POST with an idempotency key, request by request, with the forwarder's part played by the test. Redis is a fake. Needs nothing.</summary>
public sealed class IdempotencyMiddlewareTests : IDisposable
{
    private const int MaxBytes = 1024 * 1024;

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly IdempotencyMiddleware _creates;
    private readonly MetricCollector<long> _replays;

    /// <summary>What the forwarder does; by default it answers 201 with a body.</summary>
    private Func<HttpContext, Task> _forward = context => AnswerAsync(context, 201, "created");

    private int _forwarded;

    public IdempotencyMiddlewareTests()
    {
        _redis = new FakeRedis(_clock);
        var connection = new RedisConnection(Options.Create(new RedisOptions { Redis = "redis.test" }), NullLogger<RedisConnection>.Instance)
        {
            Connect = _ => Task.FromResult(_redis.Connect()),
        };
        var options = Options.Create(new PassthroughOptions());
        var ledger = new IdempotencyLedger(
            new RedisIdempotencyStore(connection, Signers.None, _clock), new RedisKeyspace("account", "dialect", "1"), options, _clock, NullLogger<IdempotencyLedger>.Instance);
        var meters = _services.GetRequiredService<IMeterFactory>();
        _replays = new MetricCollector<long>(meters, Instrumentation.Name, "luma_gateway.passthrough.replays");
        _creates = new IdempotencyMiddleware(ForwardAsync, ledger, new ProxyMetrics(meters), options, _clock);
    }

    public void Dispose()
    {
        _replays.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_repetition_gets_the_first_answer_with_the_headers_that_are_its_own()
    {
        _forward = context =>
        {
            context.Response.Headers.ContentType = "application/json";
            context.Response.Headers.ETag = "\"tag\"";
            context.Response.Headers.Date = "of the moment";
            context.Response.Headers["x-request-id"] = "of the request";
            return AnswerAsync(context, 201, "created");
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
    public async Task Every_header_that_is_the_answers_own_is_given_again()
    {
        string[] names =
            ["Content-Type", "Content-Language", "Content-Encoding", "Content-Disposition", "ETag", "Last-Modified", "Cache-Control", "x-should-retry"];
        _forward = context =>
        {
            Array.ForEach(names, name => context.Response.Headers[name] = $"value of {name}");
            return AnswerAsync(context, 201, "created");
        };
        await SendAsync("k1");

        var second = await SendAsync("k1");

        Assert.All(names, name => Assert.Equal($"value of {name}", second.Header(name)));
    }

    [Fact]
    public async Task An_answer_without_a_body_is_given_again_without_one()
    {
        _forward = context => AnswerAsync(context, 201, "");

        var answers = new[] { await SendAsync("k1"), await SendAsync("k1") };

        Assert.All(answers, answer => Assert.Equal((201, "", null), (answer.Status, answer.Body, answer.ContentLength)));
        Assert.Equal("true", answers[1].Header("Idempotency-Replayed"));
    }

    [Theory]
    [InlineData("GET", "k1")]
    [InlineData("PUT", "k1")]
    [InlineData("POST", null)]
    public async Task Another_method_or_no_key_passes_every_time_and_nothing_is_recorded(string method, string? key)
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
    public async Task A_key_is_visible_ASCII(string key, bool isKey) => await AssertKeyAsync(isKey, key);

    [Fact]
    public async Task A_key_has_at_most_255_characters_and_comes_once()
    {
        await AssertKeyAsync(true, new string('k', 255));
        await AssertKeyAsync(false, new string('k', 256));
        await AssertKeyAsync(false, "k1", "k2");
    }

    [Theory]
    [InlineData(MaxBytes, true, 200)]
    [InlineData(MaxBytes + 1, true, 413)]
    [InlineData(MaxBytes, false, 200)]
    [InlineData(MaxBytes + 1, false, 413)]
    public async Task A_body_has_at_most_one_mebibyte_whether_its_length_is_told_or_not(int length, bool isTold, int status)
    {
        _forward = context => AnswerAsync(context, 200, "");
        var answer = await SendAsync("k1", body: new string('x', length), tellsLength: isTold);

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? 1 : 0, _forwarded);
        if (status == 413)
        {
            Assert.Equal("request_too_large", answer.Code);
            Assert.Contains("1 MiB", answer.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_body_that_is_told_to_be_too_large_is_not_read()
    {
        var body = new MemoryStream(new byte[MaxBytes + 1]);

        await SendAsync("k1", change: request => (request.Body, request.ContentLength) = (body, body.Length));

        Assert.Equal(0, body.Position);
    }

    [Fact]
    public async Task A_body_takes_memory_as_its_bytes_come_whatever_length_is_told()
    {
        var body = new WatchedBody(new byte[MaxBytes]);

        var answer = await SendAsync("k1", change: request => (request.Body, request.ContentLength) = (body, MaxBytes));

        Assert.Equal(201, answer.Status);
        Assert.All(body.Reads, read => Assert.InRange(read.Buffer, 1, Math.Max(16 * 1024, read.Before)));
    }

    [Fact]
    public async Task The_upstream_gets_the_body_whole_with_its_length_and_no_encoding_that_a_repetition_might_not_take()
    {
        var received = "";
        _forward = async context =>
        {
            var request = context.Request;
            received = $"{await new StreamReader(request.Body).ReadToEndAsync(TestContext.Current.CancellationToken)} {request.Headers.ContentLength} [{request.Headers.TransferEncoding}] [{request.Headers.AcceptEncoding}]";
            await AnswerAsync(context, 201, "created");
        };

        await SendAsync("k1", body: "body", tellsLength: false, change: request =>
        {
            request.Headers.TransferEncoding = "chunked";
            request.Headers.AcceptEncoding = "br";
        });

        Assert.Equal("body 4 [] []", received);
    }

    [Fact]
    public async Task Another_body_or_query_under_the_same_key_is_refused()
    {
        await SendAsync("k1", body: "cat");

        Assert.Equal((422, "idempotency_key_reused"), await RefusalAsync(SendAsync("k1", body: "dog")));
        Assert.Equal((422, "idempotency_key_reused"), await RefusalAsync(SendAsync("k1", body: "cat", change: request => request.QueryString = new QueryString("?x=1"))));
        Assert.Equal(1, _forwarded);
    }

    [Fact]
    public async Task Query_and_body_cannot_be_shifted_into_each_other()
    {
        await SendAsync("k1", body: "cat", change: request => request.QueryString = new QueryString("?a"));

        Assert.Equal(422, (await SendAsync("k1", body: "?acat")).Status);
    }

    [Theory]
    [InlineData("client")]
    [InlineData("route")]
    public async Task The_same_key_of_another_client_or_route_is_another_create(string what)
    {
        await SendAsync("k1");

        var other = await SendAsync("k1", client: what == "client" ? "other" : "client", change: request =>
        {
            if (what == "route")
            {
                request.HttpContext.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/luma/other"), 0, null, null));
            }
        });

        Assert.Equal((201, ""), (other.Status, other.Header("Idempotency-Replayed")));
        Assert.Equal(2, _forwarded);
    }

    [Fact]
    public async Task A_repetition_of_a_running_create_is_told_to_come_back_in_two_seconds()
    {
        var forwarding = new HeldStep();
        _forward = async context =>
        {
            await forwarding.PassAsync();
            await AnswerAsync(context, 201, "created");
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
    public async Task The_outcome_is_recorded_before_it_is_told()
    {
        var recording = _redis.Hold("replace", "");
        var told = new MemoryStream();
        var first = SendAsync("k1", sent: told);
        await recording.ReachedAsync();

        Assert.Equal(0, told.Length);
        recording.Release();
        await first;

        Assert.Equal("created", Encoding.UTF8.GetString(told.ToArray()));
    }

    [Theory]
    [InlineData("Settled", "replayed")]
    [InlineData("Refused", "sent again")]
    [InlineData("Unknown", "outcome_unknown")]
    public async Task What_the_upstreams_answer_says_decides_what_a_repetition_gets(string outcome, string repetition)
    {
        _forward = context =>
        {
            context.Features.Set(new PassedCreate(Enum.Parse<CreateOutcome>(outcome)));
            return AnswerBareAsync(context, 500, "answer");
        };
        Assert.Equal((500, "answer"), ((await SendAsync("k1")).Status, "answer"));

        Assert.Equal(repetition, await RepetitionAsync());
    }

    [Fact]
    public async Task An_answer_that_is_not_the_upstreams_frees_the_key()
    {
        _forward = context => AnswerBareAsync(context, 400, "refused by the gateway");

        Assert.Equal("refused by the gateway", (await SendAsync("k1")).Body);

        Assert.Equal("sent again", await RepetitionAsync());
    }

    [Theory]
    [InlineData(ForwarderError.NoAvailableDestinations, "sent again")]
    [InlineData(ForwarderError.RequestTimedOut, "outcome_unknown")]
    public async Task A_failure_of_the_forwarder_decides_over_what_was_answered_and_nothing_of_that_is_told(ForwarderError error, string repetition)
    {
        _forward = context =>
        {
            context.Features.Set<IForwarderErrorFeature>(new Failure(error, null));
            return AnswerAsync(context, 201, "half an answer");
        };

        Assert.Equal("", (await SendAsync("k1")).Body);

        Assert.Equal(repetition, await RepetitionAsync());
    }

    [Theory]
    [InlineData(null, "sent again")]
    [InlineData(false, "sent again")]
    [InlineData(true, "outcome_unknown")]
    public async Task A_create_that_throws_is_unknown_once_its_first_byte_was_sent(bool? isSent, string repetition)
    {
        _forward = context =>
        {
            var sending = isSent is null ? null : new SendProgress();
            context.Features.Set(sending);
            if (isSent is true)
            {
                sending!.Begin();
            }

            throw new InvalidOperationException("broken");
        };

        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync("k1"));

        Assert.Equal(repetition, await RepetitionAsync());
    }

    [Fact]
    public async Task A_create_is_unknown_where_its_answers_headers_cannot_be_read()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => SendAsync(
            "k1", change: request => request.HttpContext.Features.GetRequiredFeature<IHttpResponseFeature>().Headers = new UnreadableHeaders()));

        Assert.Equal("outcome_unknown", await RepetitionAsync());
    }

    [Fact]
    public async Task A_create_is_unknown_where_recording_its_outcome_throws()
    {
        var recording = _redis.Hold("replace", "");
        var creating = SendAsync("k1");
        await recording.ReachedAsync();

        recording.Fail(new InvalidOperationException("broken"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => creating);
        Assert.Equal("outcome_unknown", await RepetitionAsync());
    }

    [Fact]
    public async Task An_answer_larger_than_one_mebibyte_is_unknown()
    {
        _forward = context => AnswerAsync(context, 201, new string('x', MaxBytes + 1));

        await Assert.ThrowsAsync<IOException>(() => SendAsync("k1"));

        Assert.Equal("outcome_unknown", await RepetitionAsync());
    }

    [Fact]
    public async Task An_answer_of_one_mebibyte_is_given_again()
    {
        _forward = context => AnswerAsync(context, 201, new string('x', MaxBytes));
        await SendAsync("k1");

        Assert.Equal(MaxBytes, (await SendAsync("k1")).Body.Length);
    }

    [Fact]
    public async Task Where_Redis_does_not_confirm_the_key_nothing_is_sent()
    {
        using var failing = _redis.Fail("add");

        Assert.Equal((503, "idempotency_unavailable"), await RefusalAsync(SendAsync("k1")));
        Assert.Equal(0, _forwarded);
    }

    [Fact]
    public async Task A_create_outlives_its_caller()
    {
        using var leaving = new CancellationTokenSource();
        var forwarding = new HeldStep();
        var cancelled = true;
        _forward = async context =>
        {
            await forwarding.PassAsync();
            cancelled = context.RequestAborted.IsCancellationRequested;
            await AnswerAsync(context, 201, "created");
        };
        var first = SendAsync("k1", change: request => request.HttpContext.RequestAborted = leaving.Token);
        await forwarding.ReachedAsync();

        await leaving.CancelAsync();
        forwarding.Release();
        await Task.WhenAny(first);

        Assert.False(cancelled);
        Assert.Equal("replayed", await RepetitionAsync());
    }

    private static Task AnswerAsync(HttpContext context, int status, string body)
    {
        context.Features.Set(new PassedCreate(CreateOutcome.Settled));
        return AnswerBareAsync(context, status, body);
    }

    private static async Task AnswerBareAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body), context.RequestAborted);
    }

    private static async Task<(int Status, string? Code)> RefusalAsync(Task<Answer> answering)
    {
        var answer = await answering;
        return (answer.Status, answer.Code);
    }

    private async Task AssertKeyAsync(bool isKey, params string[] keys)
    {
        var before = _forwarded;
        var context = Request("client", "POST", "body", true, new MemoryStream());
        context.Request.Headers["Idempotency-Key"] = keys;

        var answer = await InvokeAsync(context);

        Assert.Equal(isKey ? (201, before + 1) : (400, before), (answer.Status, _forwarded));
        if (!isKey)
        {
            Assert.Equal("invalid_request", answer.Code);
            Assert.Contains("Idempotency-Key must be one value of 1 to 255 visible ASCII characters.", answer.Body, StringComparison.Ordinal);
        }
    }

    /// <summary>What a repetition of the create under <c>k1</c> gets.</summary>
    private async Task<string> RepetitionAsync()
    {
        var before = _forwarded;
        _forward = context => AnswerAsync(context, 201, "created at the repetition");
        var answer = await SendAsync("k1");
        return answer.Header("Idempotency-Replayed") == "true" ? "replayed" : _forwarded > before ? "sent again" : answer.Code!;
    }

    private Task ForwardAsync(HttpContext context)
    {
        Interlocked.Increment(ref _forwarded);
        return _forward(context);
    }

    private Task<Answer> SendAsync(
        string? key,
        string method = "POST",
        string body = "body",
        string client = "client",
        bool tellsLength = true,
        Action<HttpRequest>? change = null,
        Stream? sent = null)
    {
        var context = Request(client, method, body, tellsLength, sent ?? new MemoryStream());
        if (key is not null)
        {
            context.Request.Headers["Idempotency-Key"] = key;
        }

        change?.Invoke(context.Request);
        return InvokeAsync(context);
    }

    private DefaultHttpContext Request(string client, string method, string body, bool tellsLength, Stream sent)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(new RateLimitLease(new Client(client, Rights.Create, new ClientLimiter(_clock, new ClientLimits(100, 100, 100, 1)))));
        var bytes = Encoding.UTF8.GetBytes(body);
        context.Request.Method = method;
        context.Request.Path = "/luma/generations";
        context.Request.Body = new MemoryStream(bytes);
        context.Request.ContentLength = tellsLength ? bytes.Length : null;
        context.Response.Body = sent;
        return context;
    }

    private async Task<Answer> InvokeAsync(HttpContext context)
    {
        var sent = (MemoryStream)context.Response.Body;
        await _creates.InvokeAsync(context).Soon();
        return new Answer(context.Response, Encoding.UTF8.GetString(sent.ToArray()));
    }

    private sealed record Answer(HttpResponse Response, string Body)
    {
        public int Status => Response.StatusCode;

        public long? ContentLength => Response.ContentLength;

        /// <summary>The problem's code; null where the answer is none.</summary>
        public string? Code => Response.ContentType == "application/problem+json" ? JsonDocument.Parse(Body).RootElement.GetProperty("code").GetString() : null;

        public string Header(string name) => Response.Headers[name].ToString();
    }

    /// <summary>Notes at each read how much had come before and how much room it was given.</summary>
    private sealed class WatchedBody(byte[] bytes) : MemoryStream(bytes)
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
