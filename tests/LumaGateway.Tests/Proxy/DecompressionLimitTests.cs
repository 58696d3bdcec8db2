using System.IO.Compression;
using System.Net;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Proxy;

public sealed class DecompressionLimitTests : IDisposable
{
    private readonly RawGateway _raw = new();
    private readonly RequestCounter _completedRequests = new();

    public DecompressionLimitTests() => _raw.Gateway.With(services => services.AddSingleton<IStartupFilter>(_completedRequests));

    public void Dispose() => _raw.Dispose();

    /// <summary>Decompressing the whole body would use a processor for minutes after the response was sent.</summary>
    [Fact]
    public async Task Decompression_of_a_bomb_stops_at_the_limit()
    {
        var bomb = BrotliBomb(repetitions: 30_000);
        Assert.InRange(bomb.Length, 1, 1024 * 1024);
        _raw.Upstream.Always((_, _) => Task.FromResult(new HttpResponseMessage
        {
            Content = new ByteArrayContent(bomb) { Headers = { { "Content-Encoding", "br" }, { "Content-Type", "application/json" } } },
        }));
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync("/luma/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(bomb, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        await Poll.UntilAsync(() => _completedRequests.Count == 1);
    }

    /// <summary>Compressed zeros. After the first 16 MiB, each further 16 MiB compress to the same few bytes, which a flush aligns.</summary>
    private static byte[] BrotliBomb(int repetitions)
    {
        using var encoder = new BrotliEncoder(quality: 5, window: 22);
        var zeros = new byte[16 * 1024 * 1024];
        var first = Encode(encoder, zeros);
        _ = Encode(encoder, zeros);
        var next = Encode(encoder, zeros);
        return [.. first, .. Enumerable.Repeat(next, repetitions).SelectMany(bytes => bytes)];
    }

    private static byte[] Encode(BrotliEncoder encoder, byte[] bytes)
    {
        var encoded = new byte[64 * 1024];
        Assert.Equal(System.Buffers.OperationStatus.Done, encoder.Compress(bytes, encoded, out var consumed, out var written, isFinalBlock: false));
        Assert.Equal(bytes.Length, consumed);
        Assert.Equal(System.Buffers.OperationStatus.Done, encoder.Flush(encoded.AsSpan(written), out var flushed));
        return encoded[..(written + flushed)];
    }

    /// <summary>Counts completed requests, including their work after the response.</summary>
    private sealed class RequestCounter : IStartupFilter
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(next => async context =>
            {
                await next(context);
                Interlocked.Increment(ref _count);
            });
            next(app);
        };
    }
}
