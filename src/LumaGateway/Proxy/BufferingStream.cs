using System.Buffers;

namespace LumaGateway.Proxy;

/// <summary>
/// Buffers the first bytes of a response, so that its headers are not sent yet. <see cref="SendBufferAsync"/>, or a write beyond the limit, sends them;
/// later writes go through. Does not close the inner stream. For one writer.
/// </summary>
/// <param name="inner">The stream that receives the bytes.</param>
/// <param name="maxBufferedBytes">The most bytes that are buffered.</param>
internal sealed class BufferingStream(Stream inner, int maxBufferedBytes) : WriteOnlyStream
{
    private ArrayBufferWriter<byte>? _buffer = new();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_buffer is { } buffered && buffered.WrittenCount + buffer.Length <= maxBufferedBytes)
        {
            buffered.Write(buffer.Span);
            return;
        }

        await SendBufferAsync(cancellationToken);
        await inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => _buffer is null ? inner.FlushAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Sends the buffered bytes and ends buffering. Call it when the response is complete.</summary>
    public async ValueTask SendBufferAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _buffer, null) is { WrittenCount: > 0 } buffered)
        {
            await inner.WriteAsync(buffered.WrittenMemory, cancellationToken);
        }
    }
}
