using System.Text;
using LumaGateway.Proxy;

namespace LumaGateway.Tests.Proxy;

/// <summary>The copy of a forwarded response. Needs nothing.</summary>
public sealed class TeeStreamTests : IDisposable
{
    private const int MaxBytes = 10;

    private readonly MemoryStream _sent = new();

    public void Dispose() => _sent.Dispose();

    [Fact]
    public async Task Written_bytes_are_copied_and_sent_unchanged()
    {
        using var tee = new TeeStream(_sent, MaxBytes);

        await tee.WriteAsync("12345"u8.ToArray(), TestContext.Current.CancellationToken);
        await tee.WriteAsync("67890"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.Equal("1234567890", Encoding.UTF8.GetString(tee.Copy!.Value.Span));
        Assert.Equal("1234567890", Encoding.UTF8.GetString(_sent.ToArray()));
    }

    [Fact]
    public async Task More_bytes_than_the_limit_are_sent_and_not_copied()
    {
        using var tee = new TeeStream(_sent, MaxBytes);

        await tee.WriteAsync("12345678901"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Null(tee.Copy);
        await tee.WriteAsync("2"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.Null(tee.Copy); // a part of the body is not kept
        Assert.Equal("123456789012", Encoding.UTF8.GetString(_sent.ToArray()));
    }

    [Fact]
    public async Task A_flush_is_forwarded_and_copies_nothing()
    {
        using var inner = new FlushCounter();
        using var tee = new TeeStream(inner, MaxBytes);

        await tee.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, inner.Flushes);
        Assert.Equal(0, tee.Copy!.Value.Length);
    }

    private sealed class FlushCounter : MemoryStream
    {
        public int Flushes { get; private set; }

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            Flushes++;
            return Task.CompletedTask;
        }
    }
}
