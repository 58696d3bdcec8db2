using System.Buffers;

namespace LumaGateway.Upstreams;

/// <summary>A body of unknown length in pooled memory. Disposal returns the memory. Not thread-safe.</summary>
internal sealed class PooledBody : IDisposable
{
    private const int InitialSize = 8 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialSize);
    private int _written;

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _written);

    /// <summary>Memory for the next bytes, never empty. The buffer doubles when it is full.</summary>
    public Memory<byte> Free
    {
        get
        {
            if (_written == _buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(2 * _buffer.Length);
                Written.CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }

            return _buffer.AsMemory(_written);
        }
    }

    public void Advance(int count) => _written += count;

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _written) = ([], 0);
    }
}
