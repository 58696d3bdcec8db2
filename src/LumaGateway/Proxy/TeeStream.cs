namespace LumaGateway.Proxy;

/// <summary>Writes to another stream and keeps a copy of at most <paramref name="maxBytes"/> bytes. Does not close the inner stream.</summary>
internal sealed class TeeStream(Stream inner, int maxBytes) : WriteOnlyStream
{
    private MemoryStream? _copy = new();

    /// <summary>All bytes that were written; null if they exceed the limit.</summary>
    public ReadOnlyMemory<byte>? Copy => _copy?.GetBuffer().AsMemory(0, (int)_copy.Length);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_copy is not null && _copy.Length + buffer.Length <= maxBytes)
        {
            _copy.Write(buffer.Span);
        }
        else
        {
            _copy = null;
        }

        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
}
