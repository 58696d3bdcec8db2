using System.Net;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>Creates whose answer breaks off, without callbacks and without a key: an SDK must not send them again by itself.</summary>
public sealed class BrokenCreateTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task A_create_whose_answer_breaks_off_is_a_problem_with_no_header_of_that_answer()
    {
        _raw.Upstream.Then((_, _) =>
        {
            var content = new StreamContent(new PiecesStream([.. "{\"id\":"u8], isWhole: false));
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
    public async Task A_whole_answer_of_any_length_passes(int length)
    {
        var answered = new byte[length];
        new Random(1).NextBytes(answered);
        _raw.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = new StreamContent(new PiecesStream(answered, isWhole: true)) }));

        using var response = await CreateAsync();

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(answered, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    private async Task<HttpResponseMessage> CreateAsync()
    {
        using var caller = _raw.CreateCaller();
        return await caller.PostAsync("/luma/generations", new StringContent("{}", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
    }

    /// <summary>Some bytes at each read; then the end, or the connection breaks.</summary>
    private sealed class PiecesStream(byte[] bytes, bool isWhole) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            var read = Read(buffer.Span[..Math.Min(buffer.Length, 5000)]);
            return read > 0 || isWhole || buffer.Length == 0 ? read : throw new HttpIOException(HttpRequestError.ResponseEnded);
        }
    }
}
