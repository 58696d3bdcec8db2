namespace LumaGateway.Proxy;

/// <summary>
/// A JSON object with one more member before its last brace. Of two members with one name, JSON parsers take the last. Reads the object as a stream: a create may
/// contain megabytes of media. For one asynchronous reader. Does not close the source.
/// </summary>
/// <param name="start">The bytes that were already read from the source.</param>
/// <param name="source">The rest of the object.</param>
/// <param name="member">The member, such as <c>"name":"value"</c>. If empty, the bytes are unchanged.</param>
internal sealed class JsonMemberAppender(ReadOnlyMemory<byte> start, Stream source, byte[] member) : Stream
{
    private const int ChunkBytes = 16 * 1024;

    /// <summary>The most white space after a brace that may be the last one.</summary>
    private const int MaxHeldBytes = 4 * 1024;

    private byte[] _data = new byte[ChunkBytes + MaxHeldBytes];
    private ReadOnlyMemory<byte> _start = start;
    private byte _last;
    private int _next;
    private int _ready;
    private int _end;
    private bool _isComplete;

    public static ReadOnlySpan<byte> WhiteSpace => " \t\r\n"u8;

    /// <summary>By how many bytes the result is longer. The separator is a comma, or a space in an empty object.</summary>
    public int AddedBytes => member.Length == 0 ? 0 : member.Length + 1;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        while (_next == _ready && !_isComplete)
        {
            await FillAsync(cancellationToken);
        }

        var count = Math.Min(buffer.Length, _ready - _next);
        _data.AsMemory(_next, count).CopyTo(buffer);
        _next += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only asynchronous reads are supported.");

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Reads the next chunk behind the held bytes, and holds what may be the end of the object.</summary>
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        var held = _end - _ready;
        _data.AsSpan(_ready, held).CopyTo(_data);
        (_next, _ready, _end) = (0, 0, held);
        var read = await ReadChunkAsync(_data.AsMemory(held, ChunkBytes), cancellationToken);
        if (read == 0)
        {
            Complete();
            return;
        }

        _end += read;
        var data = _data.AsSpan(0, _end).TrimEnd(WhiteSpace);
        _ready = member.Length > 0 && data is [.., (byte)'}'] ? data.Length - 1 : _end;
        if (_end - _ready > MaxHeldBytes)
        {
            throw new BadHttpRequestException("The JSON has too much white space after a brace.");
        }

        if (_data.AsSpan(0, _ready).TrimEnd(WhiteSpace) is [.., var last])
        {
            _last = last;
        }
    }

    private async ValueTask<int> ReadChunkAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_start.IsEmpty)
        {
            return await source.ReadAsync(buffer, cancellationToken);
        }

        var count = Math.Min(_start.Length, buffer.Length);
        _start[..count].CopyTo(buffer);
        _start = _start[count..];
        return count;
    }

    private void Complete()
    {
        _isComplete = true;
        if (member.Length > 0)
        {
            _data = [_last == (byte)'{' ? (byte)' ' : (byte)',', .. member, .. _data[.._end]];
            (_ready, _end) = (_data.Length, _data.Length);
        }
    }
}
