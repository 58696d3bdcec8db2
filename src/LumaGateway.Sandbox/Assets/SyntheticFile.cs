namespace LumaGateway.Sandbox.Assets;

/// <summary>
/// A read-only, seekable, generated file of any size: a valid header, then bytes that depend only on their position. The same
/// name and length always give the same bytes, and the file is not kept in memory.
/// </summary>
internal sealed class SyntheticFile(byte[] header, long length) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Clamp(length - Position, 0, buffer.Length);
        var start = Position;
        for (var i = 0; i < count; i++)
        {
            var at = start + i;
            buffer[i] = at < header.Length ? header[at] : unchecked((byte)((at * 31) ^ (at >> 8)));
        }

        Position = start + count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
