using System.Net;
using System.Text;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>Creates with an incomplete response, without callbacks and idempotency keys: the response must forbid retries.</summary>
public sealed class IncompleteCreateResponseTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task An_incomplete_response_becomes_a_problem_without_its_headers()
    {
        _raw.Upstream.Then((_, _) =>
        {
            var content = new StreamContent(new ChunkedStream([.. "{\"id\":"u8], isComplete: false));
            content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            content.Headers.TryAddWithoutValidation("Content-Encoding", "gzip");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = content, Headers = { { "ETag", "\"e\"" } } });
        });

        using var response = await CreateAsync();

        await response.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("false", response.Header("x-should-retry"));
        Assert.Equal("", response.Header("Content-Encoding"));
        Assert.Equal("", response.Header("ETag"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8 * 1024)]
    [InlineData((8 * 1024) + 1)]
    [InlineData(3_000_000)]
    public async Task A_complete_response_of_any_length_is_forwarded(int length)
    {
        var body = new byte[length];
        new Random(1).NextBytes(body);
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = new StreamContent(new ChunkedStream(body, isComplete: true)) }));

        using var response = await CreateAsync();

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_response_that_stalls_after_its_headers_is_a_timeout_at_the_timeout_of_the_create()
    {
        var body = Stall();
        using var caller = _raw.CreateCaller();
        caller.DefaultRequestHeaders.Add("Idempotency-Key", "k1");
        var create = CreateAsync(caller, TestContext.Current.CancellationToken);
        await body.Started;
        _raw.Gateway.Clock.Advance(new PassthroughOptions().CreateTimeout);

        using var response = await create;

        await response.ProblemAsync(504, "upstream_timed_out");
        Assert.Equal("false", response.Header("x-should-retry"));
    }

    [Fact]
    public async Task A_response_that_stalls_after_its_headers_is_a_timeout_when_YARP_ends_it()
    {
        var body = Stall();
        using var caller = _raw.CreateCaller();
        var create = CreateAsync(caller, TestContext.Current.CancellationToken);
        await body.Started;
        body.Cancel(); // as YARP does after UpstreamConfigFilter.ActivityTimeout

        using var response = await create;

        await response.ProblemAsync(504, "upstream_timed_out");
        Assert.Equal("false", response.Header("x-should-retry"));
    }

    [Fact]
    public async Task A_caller_that_leaves_during_the_response_is_not_logged_as_a_failure_of_the_upstream()
    {
        var body = Stall();
        using var caller = _raw.CreateCaller();
        using var leaving = new CancellationTokenSource();
        var create = CreateAsync(caller, leaving.Token);
        await body.Started;

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => create);
        await Poll.UntilAsync(() => _raw.Gateway.Logs.GetSnapshot().Any(line => line.Id.Id == 1012)); // the request has ended
        Assert.DoesNotContain(_raw.Gateway.Logs.GetSnapshot(), line => line.Id.Id == 4312);
    }

    private StallingStream Stall()
    {
        var body = new StallingStream();
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = new StreamContent(body) }));
        return body;
    }

    private static Task<HttpResponseMessage> CreateAsync(HttpClient caller, CancellationToken token) =>
        caller.PostAsync("/luma/generations", new StringContent("{}", Encoding.UTF8, "application/json"), token);

    private async Task<HttpResponseMessage> CreateAsync()
    {
        using var caller = _raw.CreateCaller();
        return await caller.PostAsync("/luma/generations", new StringContent("{}", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
    }

    /// <summary>Returns at most 5,000 bytes a read; then ends, or throws as on a broken connection.</summary>
    private sealed class ChunkedStream(byte[] bytes, bool isComplete) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            var read = Read(buffer.Span[..Math.Min(buffer.Length, 5000)]);
            return read > 0 || isComplete || buffer.Length == 0 ? read : throw new HttpIOException(HttpRequestError.ResponseEnded);
        }
    }

    /// <summary>A body without a byte.</summary>
    private sealed class StallingStream : MemoryStream
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<int> _read = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The gateway reads the body.</summary>
        public Task Started => _started.Task;

        public void Cancel() => _read.SetCanceled();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _started.TrySetResult();
            return await _read.Task.WaitAsync(cancellationToken);
        }
    }
}
