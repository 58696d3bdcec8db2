namespace LumaGateway.Proxy.Idempotency;

/// <summary>Writes through to another stream and keeps a copy of what passes, as long as it is not too large. The other stream stays open.</summary>
internal sealed class TeeStream(Stream inner, int maxBytes) : WriteOnlyStream
{
    private MemoryStream? _copy = new();

    /// <summary>All that passed; null where it was too large.</summary>
    public ReadOnlyMemory<byte>? Whole => _copy?.GetBuffer().AsMemory(0, (int)_copy.Length);

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
