using System.Text;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Redis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>A response that is captured until its outcome is recorded. Needs nothing.</summary>
public sealed class CapturedResponseTests : IDisposable
{
    private const int MaxBytes = 10;

    private static readonly TimeSpan CreateTimeout = TimeSpan.FromMinutes(2);

    private readonly WaitingClock _clock = new();
    private readonly MemoryStream _sent = new();
    private readonly Lifetime _lifetime = new();
    private readonly Reset _reset = new();
    private readonly DefaultHttpContext _context;

    public CapturedResponseTests()
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

    /// <summary>Every overload of Write: YARP and ASP.NET Core use several.</summary>
    public static TheoryData<int> Writes => [0, 1, 2, 3];

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Captured_bytes_are_not_sent_to_the_caller(int overload)
    {
        using (var captured = Capture())
        {
            await WriteAsync(_context.Response.Body, overload, "12345");
            await WriteAsync(_context.Response.Body, overload, "67890");

            Assert.Equal("1234567890", Encoding.UTF8.GetString(captured.Body));
        }

        Assert.Equal(0, _sent.Length);
    }

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task A_response_larger_than_the_limit_throws(int overload)
    {
        using var captured = Capture();
        await WriteAsync(_context.Response.Body, overload, "123456789");

        var fault = await Assert.ThrowsAsync<IOException>(() => WriteAsync(_context.Response.Body, overload, "01"));

        Assert.NotEqual("", fault.Message);
        Assert.Equal("123456789", Encoding.UTF8.GetString(captured.Body));
    }

    [Fact]
    public async Task After_disposal_writes_go_to_the_caller_again()
    {
        Capture().Dispose();

        await WriteAsync(_context.Response.Body, 0, "sent");

        Assert.Equal("sent", Encoding.UTF8.GetString(_sent.ToArray()));
        Assert.Same(_lifetime, _context.Features.Get<IHttpRequestLifetimeFeature>());
        Assert.Same(_reset, _context.Features.Get<IHttpResetFeature>());
    }

    [Fact]
    public void Only_the_timeout_cancels_and_not_a_caller_that_disconnects()
    {
        using var captured = Capture();
        var aborted = _context.RequestAborted;

        _lifetime.Disconnect();
        Assert.False(aborted.IsCancellationRequested);
        _clock.Advance(CreateTimeout - TimeSpan.FromTicks(1));
        Assert.False(aborted.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(aborted.IsCancellationRequested);
    }

    [Fact]
    public void The_forwarder_can_neither_abort_nor_reset_the_callers_request()
    {
        using var captured = Capture();

        _context.Abort();

        Assert.False(_lifetime.IsAborted);
        Assert.Null(_context.Features.Get<IHttpResetFeature>());
    }

    [Fact]
    public void Disposal_stops_the_timeout()
    {
        Capture().Dispose();

        Assert.False(_clock.HasWait(CreateTimeout));
    }

    private static async Task WriteAsync(Stream stream, int overload, string text)
    {
        // Bytes outside of the range that is written.
        byte[] bytes = [(byte)'<', .. Encoding.UTF8.GetBytes(text), (byte)'>'];
        var token = TestContext.Current.CancellationToken;
        switch (overload)
        {
            case 0:
                await stream.WriteAsync(bytes.AsMemory(1, text.Length), token);
                break;
            case 1:
#pragma warning disable CA1835 // the test needs this overload
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
        private readonly CancellationTokenSource _disconnected = new();

        public Lifetime() => RequestAborted = _disconnected.Token;

        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted { get; private set; }

        public void Disconnect() => _disconnected.Cancel();

        public void Abort() => IsAborted = true;

        public void Dispose() => _disconnected.Dispose();
    }

    private sealed class Reset : IHttpResetFeature
    {
        void IHttpResetFeature.Reset(int errorCode) => throw new InvalidOperationException("The caller's request was reset.");
    }
}
