using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// The body of a request: in memory up to <see cref="MaxMemoryBytes"/>, else in a temporary file that only the process's user can read. It is read once and sent
/// once. Disposing it deletes the file.
/// </summary>
internal sealed class SpooledBody : IAsyncDisposable
{
    public const int MaxMemoryBytes = 128 * 1024;

    private const int InitialBufferBytes = 4 * 1024;

    private readonly BodyStorage _storage;
    private long _storedBytes;

    private SpooledBody(Stream content, string fingerprint, BodyStorage storage, long storedBytes) =>
        (Content, Fingerprint, _storage, _storedBytes) = (content, fingerprint, storage, storedBytes);

    /// <summary>The body, from its first byte.</summary>
    public Stream Content { get; }

    /// <summary>SHA-256 of the query and the body, in lower-case hex.</summary>
    public string Fingerprint { get; }

    /// <summary>
    /// Returns null if the body is too large. The buffer grows with the bytes that arrive; a <c>Content-Length</c> alone reserves no memory. Throws
    /// <see cref="SpoolException"/> if the temporary file cannot be written, or the storage is full.
    /// </summary>
    public static async Task<SpooledBody?> ReadAsync(HttpRequest request, long maxBytes, BodyStorage storage)
    {
        if (request.ContentLength > maxBytes)
        {
            return null;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(request.QueryString.ToUriComponent() + "\n"));
        var buffer = ArrayPool<byte>.Shared.Rent(InitialBufferBytes);
        FileStream? file = null;
        SpooledBody? spooled = null;
        var stored = 0L;
        try
        {
            var (total, length) = (0L, 0);
            while (await request.Body.ReadAsync(buffer.AsMemory(length), request.HttpContext.RequestAborted) is > 0 and var read)
            {
                hash.AppendData(buffer, length, read);
                (total, length) = (total + read, length + read);
                if (total > maxBytes)
                {
                    return null;
                }

                if (length < buffer.Length)
                {
                    continue;
                }

                if (length < MaxMemoryBytes)
                {
                    buffer = Enlarge(buffer);
                }
                else
                {
                    file ??= CreateFile();
                    await StoreAsync(file, buffer.AsMemory(0, length));
                    length = 0;
                }
            }

            if (file is not null)
            {
                await StoreAsync(file, buffer.AsMemory(0, length));
                file.Position = 0;
            }

            return spooled = new SpooledBody(file ?? (Stream)new MemoryStream(buffer[..length]), Convert.ToHexStringLower(hash.GetHashAndReset()), storage, stored);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (spooled is null && file is not null)
            {
                storage.Remove(stored);
                await file.DisposeAsync();
            }
        }

        Task StoreAsync(FileStream file, ReadOnlyMemory<byte> bytes)
        {
            storage.Add(bytes.Length);
            stored += bytes.Length;
            return WriteAsync(file, bytes);
        }
    }

    public ValueTask DisposeAsync()
    {
        _storage.Remove(Interlocked.Exchange(ref _storedBytes, 0)); // before the file, whose disposal may throw; a body may be disposed of twice
        return Content.DisposeAsync();
    }

    private static byte[] Enlarge(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    private static FileStream CreateFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return new FileStream(Path.Combine(Path.GetTempPath(), $"luma-gateway-{Guid.NewGuid():N}.body"), options);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException(exception.GetType().Name);
        }
    }

    private static async Task WriteAsync(FileStream file, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await file.WriteAsync(bytes);
        }
        catch (IOException exception)
        {
            throw new SpoolException(exception.GetType().Name);
        }
    }
}

/// <summary>A request's body cannot be kept in a temporary file. The message is the reason, without a path.</summary>
internal sealed class SpoolException(string reason) : Exception(reason);

/// <summary>The bytes of all bodies in temporary files of this process. Thread-safe.</summary>
internal sealed class BodyStorage(long maxBytes)
{
    private long _bytes;

    /// <summary>Throws <see cref="SpoolException"/> if they would exceed the limit.</summary>
    public void Add(int bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) > maxBytes)
        {
            Remove(bytes);
            throw new SpoolException("Passthrough:MaxStoredBytes is reached");
        }
    }

    public void Remove(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
