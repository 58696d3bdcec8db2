using System.Buffers;

namespace LumaGateway.Proxy;

/// <summary>
/// Holds the first bytes back, up to <paramref name="most"/>, and with them the response's headers; <see cref="ReleaseAsync"/> sends them. Once more was written,
/// everything passes through. The other stream stays open. For one writer.
/// </summary>
/// <param name="inner">Where to.</param>
/// <param name="most">The most bytes held.</param>
internal sealed class BufferingStream(Stream inner, int most) : WriteOnlyStream
{
    private ArrayBufferWriter<byte>? _held = new();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_held is { } held && held.WrittenCount + buffer.Length <= most)
        {
            held.Write(buffer.Span);
            return;
        }

        await ReleaseAsync(cancellationToken);
        await inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => _held is null ? inner.FlushAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Sends what is held. To be called once all is written and good.</summary>
    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _held, null) is { WrittenCount: > 0 } held)
        {
            await inner.WriteAsync(held.WrittenMemory, cancellationToken);
        }
    }
}
