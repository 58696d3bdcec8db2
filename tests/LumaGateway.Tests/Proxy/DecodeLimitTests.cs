using System.IO.Compression;
using System.Net;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Proxy;

public sealed class DecodeLimitTests : IDisposable
{
    private readonly RawGateway _raw = new();
    private readonly Endings _endings = new();

    public DecodeLimitTests() => _raw.Gateway.With(services => services.AddSingleton<IStartupFilter>(_endings));

    public void Dispose() => _raw.Dispose();

    /// <summary>Decoded to its end it would keep a processor busy for minutes after the caller was answered.</summary>
    [Fact]
    public async Task A_small_body_that_decodes_to_hundreds_of_gibibytes_is_given_up_at_the_limit()
    {
        var bomb = BrotliBomb(repetitions: 30_000);
        Assert.InRange(bomb.Length, 1, 1024 * 1024);
        _raw.Upstream.Always((_, _) => Task.FromResult(new HttpResponseMessage
        {
            Content = new ByteArrayContent(bomb) { Headers = { { "Content-Encoding", "br" }, { "Content-Type", "application/json" } } },
        }));
        using var caller = _raw.CreateCaller();

        using var response = await caller.AskAsync("/luma/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(bomb, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        await Pump.EventuallyAsync(() => _endings.Count == 1);
    }

    /// <summary>Zeros: after the first 16 MiB every further 16 MiB are the same few bytes, aligned by a flush.</summary>
    private static byte[] BrotliBomb(int repetitions)
    {
        using var encoder = new BrotliEncoder(quality: 5, window: 22);
        var zeros = new byte[16 * 1024 * 1024];
        var first = Encode(encoder, zeros);
        _ = Encode(encoder, zeros);
        var next = Encode(encoder, zeros);
        return [.. first, .. Enumerable.Repeat(next, repetitions).SelectMany(bytes => bytes)];
    }

    private static byte[] Encode(BrotliEncoder encoder, byte[] plain)
    {
        var encoded = new byte[64 * 1024];
        Assert.Equal(System.Buffers.OperationStatus.Done, encoder.Compress(plain, encoded, out var consumed, out var written, isFinalBlock: false));
        Assert.Equal(plain.Length, consumed);
        Assert.Equal(System.Buffers.OperationStatus.Done, encoder.Flush(encoded.AsSpan(written), out var flushed));
        return encoded[..(written + flushed)];
    }

    /// <summary>Counts the requests whose work is over, what follows the response included.</summary>
    private sealed class Endings : IStartupFilter
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
