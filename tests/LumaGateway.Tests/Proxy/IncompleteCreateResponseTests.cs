using System.Net;
using System.Text;
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
}
