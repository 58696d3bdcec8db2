using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// While it lives, what is answered stays here instead of going to the caller, and a caller who leaves cancels nothing: only the clock does.
/// Status and headers are set on the response itself, which does not start meanwhile.
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
        context.Features.Set<IHttpRequestLifetimeFeature>(this);
        context.Features.Set<IHttpResetFeature>(null);
    }

    public CancellationToken RequestAborted { get; set; }

    public byte[] Body => _buffer.ToArray();

    public void Abort()
    {
        // The forwarder gives up the exchange with the upstream, not the one with the caller.
    }

    public void Dispose()
    {
        _context.Features.Set(_body);
        _context.Features.Set(_lifetime);
        _context.Features.Set(_reset);
        _timeout.Dispose();
    }

    /// <summary>An answer that is larger breaks off.</summary>
    private sealed class BoundedBuffer(int maxBytes) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Check(buffer.Length);
            base.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            Check(count);
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

        private void Check(int more)
        {
            if (Length + more > maxBytes)
            {
                throw new IOException("The answer to a create is larger than what can be kept.");
            }
        }
    }
}
