using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Sandbox.Faults;

/// <summary>A response body between an endpoint and the connection. The endpoints are independent of the faults.</summary>
internal abstract class FaultyBody(HttpContext context) : Stream
{
    private readonly IHttpResponseBodyFeature _original = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    protected HttpContext Context => context;

    /// <summary>The connection's own response body.</summary>
    protected Stream Connection => _original.Stream;

    public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Connection.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Runs the rest of the pipeline with this body, then restores the connection's own body.</summary>
    protected async Task RunPipelineAsync(RequestDelegate next)
    {
        context.Response.Body = this;
        try
        {
            await next(context);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
        finally
        {
            context.Features.Set(_original);
        }
    }
}
