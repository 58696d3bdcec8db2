using System.Text;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Redis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>An answer that stays here until it is recorded, and the copy of one that passes. Needs nothing.</summary>
public sealed class IdempotencyCaptureTests : IDisposable
{
    private const int MaxBytes = 10;

    private static readonly TimeSpan CreateTimeout = TimeSpan.FromMinutes(2);

    private readonly WaitingClock _clock = new();
    private readonly MemoryStream _sent = new();
    private readonly Lifetime _lifetime = new();
    private readonly Reset _reset = new();
    private readonly DefaultHttpContext _context;

    public IdempotencyCaptureTests()
    {
        _context = new DefaultHttpContext();
        _context.Response.Body = _sent;
        _context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        _context.Features.Set<IHttpResetFeature>(_reset);
    }

    public void Dispose()
    {
        _sent.Dispose();
        _lifetime.Dispose();
    }

    /// <summary>Every way to write to a stream: the forwarder and the framework use several.</summary>
    public static TheoryData<int> Writes => [0, 1, 2, 3];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task What_is_written_while_it_is_captured_stays_here(int how)
    {
        using (var captured = Capture())
        {
            await WriteAsync(_context.Response.Body, how, "12345");
            await WriteAsync(_context.Response.Body, how, "67890");

            Assert.Equal("1234567890", Encoding.UTF8.GetString(captured.Body));
        }

        Assert.Equal(0, _sent.Length);
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task An_answer_larger_than_what_can_be_kept_breaks_off(int how)
    {
        using var captured = Capture();
        await WriteAsync(_context.Response.Body, how, "123456789");

        var fault = await Assert.ThrowsAsync<IOException>(() => WriteAsync(_context.Response.Body, how, "01"));

        Assert.NotEqual("", fault.Message);
        Assert.Equal("123456789", Encoding.UTF8.GetString(captured.Body));
    }

    [Fact]
    public async Task Afterwards_the_response_goes_to_the_caller_again()
    {
        Capture().Dispose();

        await WriteAsync(_context.Response.Body, 0, "sent");

        Assert.Equal("sent", Encoding.UTF8.GetString(_sent.ToArray()));
        Assert.Same(_lifetime, _context.Features.Get<IHttpRequestLifetimeFeature>());
        Assert.Same(_reset, _context.Features.Get<IHttpResetFeature>());
    }

    [Fact]
    public void A_caller_who_leaves_cancels_nothing_and_the_clock_does()
    {
        using var captured = Capture();
        var aborted = _context.RequestAborted;

        _lifetime.Leave();
        Assert.False(aborted.IsCancellationRequested);
        _clock.Advance(CreateTimeout - TimeSpan.FromTicks(1));
        Assert.False(aborted.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(aborted.IsCancellationRequested);
    }

    [Fact]
    public void The_forwarder_can_neither_abort_nor_reset_the_exchange_with_the_caller()
    {
        using var captured = Capture();

        _context.Abort();

        Assert.False(_lifetime.WasAborted);
        Assert.Null(_context.Features.Get<IHttpResetFeature>());
    }

    [Fact]
    public void After_the_capture_nothing_waits_for_its_time_out()
    {
        Capture().Dispose();

        Assert.False(_clock.HasWait(CreateTimeout));
    }

    [Fact]
    public async Task What_passes_is_copied_and_passes_unchanged()
    {
        using var copy = new TeeStream(_sent, MaxBytes);

        await copy.WriteAsync("12345"u8.ToArray(), TestContext.Current.CancellationToken);
        await copy.WriteAsync("67890"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.Equal("1234567890", Encoding.UTF8.GetString(copy.Whole!.Value.Span));
        Assert.Equal("1234567890", Encoding.UTF8.GetString(_sent.ToArray()));
    }

    [Fact]
    public async Task What_is_too_large_to_copy_passes_all_the_same_and_has_no_copy()
    {
        using var copy = new TeeStream(_sent, MaxBytes);

        await copy.WriteAsync("12345678901"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Null(copy.Whole);
        await copy.WriteAsync("2"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.Null(copy.Whole); // what is left of it is not the whole
        Assert.Equal("123456789012", Encoding.UTF8.GetString(_sent.ToArray()));
    }

    [Fact]
    public async Task Nothing_that_passed_is_an_empty_copy_and_a_flush_passes()
    {
        var flushed = new Flushed();
        using var copy = new TeeStream(flushed, MaxBytes);

        await copy.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, flushed.Flushes);
        Assert.Equal(0, copy.Whole!.Value.Length);
    }

    private static async Task WriteAsync(Stream stream, int how, string text)
    {
        // Some bytes before and after, which are not to be written.
        byte[] bytes = [(byte)'<', .. Encoding.UTF8.GetBytes(text), (byte)'>'];
        var token = TestContext.Current.CancellationToken;
        switch (how)
        {
            case 0:
                await stream.WriteAsync(bytes.AsMemory(1, text.Length), token);
                break;
            case 1:
#pragma warning disable CA1835 // this overload is what is tested
                await stream.WriteAsync(bytes, 1, text.Length, token);
#pragma warning restore CA1835
                break;
            case 2:
                stream.Write(bytes.AsSpan(1, text.Length));
                break;
            default:
                stream.Write(bytes, 1, text.Length);
                break;
        }
    }

    private CapturedResponse Capture() => new(_context, MaxBytes, CreateTimeout, _clock);

    private sealed class Lifetime : IHttpRequestLifetimeFeature, IDisposable
    {
        private readonly CancellationTokenSource _leaving = new();

        public Lifetime() => RequestAborted = _leaving.Token;

        public CancellationToken RequestAborted { get; set; }

        public bool WasAborted { get; private set; }

        public void Leave() => _leaving.Cancel();

        public void Abort() => WasAborted = true;

        public void Dispose() => _leaving.Dispose();
    }

    private sealed class Reset : IHttpResetFeature
    {
        void IHttpResetFeature.Reset(int errorCode) => throw new InvalidOperationException("The exchange with the caller was reset.");
    }

    private sealed class Flushed : MemoryStream
    {
        public int Flushes { get; private set; }

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            Flushes++;
            return Task.CompletedTask;
        }
    }
}
