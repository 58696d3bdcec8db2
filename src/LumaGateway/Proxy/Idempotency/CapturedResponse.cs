using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Captures the response body in memory until it is disposed. Meanwhile a caller that disconnects cancels nothing: only the timeout cancels. Status and headers
/// are set on the response itself, which does not start before the disposal.
/// </summary>
internal sealed class CapturedResponse : IHttpRequestLifetimeFeature, IDisposable
{
    private readonly HttpContext _context;
    private readonly IHttpResponseBodyFeature _body;
    private readonly IHttpRequestLifetimeFeature? _lifetime;
    private readonly IHttpResetFeature? _reset;
    private readonly CancellationTokenSource _timeout;
    private readonly BoundedBuffer _buffer;

    public CapturedResponse(HttpContext context, int maxBytes, TimeSpan timeout, TimeProvider clock)
    {
        _context = context;
        _body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        _lifetime = context.Features.Get<IHttpRequestLifetimeFeature>();
        _reset = context.Features.Get<IHttpResetFeature>();
        _timeout = new CancellationTokenSource(timeout, clock);
        _buffer = new BoundedBuffer(maxBytes);
        RequestAborted = _timeout.Token;
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(_buffer));
        context.Features.Set(new CallerLifetime(context.RequestAborted));
        context.Features.Set<IHttpRequestLifetimeFeature>(this);
        context.Features.Set<IHttpResetFeature>(null);
    }

    public CancellationToken RequestAborted { get; set; }

    public byte[] Body => _buffer.ToArray();

    public void Abort()
    {
        // YARP aborts the request when forwarding fails. The caller's connection must stay open for the problem response.
    }

    public void Dispose()
    {
        _context.Features.Set(_body);
        _context.Features.Set(_lifetime);
        _context.Features.Set(_reset);
        _timeout.Dispose();
    }

    /// <summary>Throws when the body exceeds <paramref name="maxBytes"/>.</summary>
    private sealed class BoundedBuffer(int maxBytes) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            ThrowIfFull(buffer.Length);
            base.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            ThrowIfFull(count);
            base.Write(buffer, offset, count);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Write(buffer, offset, count);
            return Task.CompletedTask;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        private void ThrowIfFull(int count)
        {
            if (Length + count > maxBytes)
            {
                throw new IOException($"The response to a create with an Idempotency-Key exceeds {maxBytes} bytes.");
            }
        }
    }
}
