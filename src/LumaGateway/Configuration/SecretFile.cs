using System.Text;

namespace LumaGateway.Configuration;

/// <summary>
/// Reads files that contain one secret, or two during a rotation, and reloads them when they change. Every setting that names such a file uses this class.
/// No message contains a secret.
/// </summary>
internal static class SecretFile
{
    private const int MaxBytes = 16 * 1024;

    private static readonly char[] Separators = [',', '\n', '\r'];

    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(2);

    /// <summary>Returns null if the file is missing, unreadable, larger than 16 KiB, or if <paramref name="parse"/> returns null.</summary>
    public static T? Read<T>(string path, Func<string, T?> parse)
        where T : class
    {
        try
        {
            // Reads up to the limit instead of the file's length: FileInfo.Length of a symbolic link is the length of the link.
            using var file = File.OpenRead(path);
            Span<byte> bytes = stackalloc byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxBytes ? parse(Decode(bytes[..length])) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Splits a text at commas and line ends, and trims each part. Returns null unless it has one or two parts, all of them valid.</summary>
    public static string[]? Split(string text, Func<string, bool> isValid)
    {
        var secrets = text.Split(Separators, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return secrets.Length is 1 or 2 && secrets.All(isValid) ? secrets : null;
    }

    /// <summary>
    /// Reads the file every two seconds and compares its content, which detects the symbolic link that Kubernetes replaces. A new content is used only after
    /// two consecutive reads returned it, because another process may still be writing the file. Returns when the token is canceled.
    /// </summary>
    /// <param name="read">Reads and parses the file; null if it is unusable.</param>
    /// <param name="isSame">Compares two contents.</param>
    /// <param name="current">The content in use.</param>
    /// <param name="changed">Receives a new content.</param>
    /// <param name="unreadable">Called when the file becomes unusable. The known content stays in use.</param>
    /// <param name="clock">Measures the interval.</param>
    /// <param name="stoppingToken">Stops the reads.</param>
    public static async Task WatchAsync<T>(
        Func<T?> read, Func<T, T, bool> isSame, T current, Action<T> changed, Action unreadable, TimeProvider clock, CancellationToken stoppingToken)
        where T : class
    {
        T? candidate = null;
        var isUnreadable = false;
        using var timer = new PeriodicTimer(ReadInterval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var found = read();
                if (found is null && !isUnreadable)
                {
                    unreadable();
                }

                isUnreadable = found is null;
                if (found is not null && !isSame(found, current) && candidate is not null && isSame(found, candidate))
                {
                    current = found;
                    changed(found);
                }

                candidate = found;
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    /// <summary>Decodes UTF-8, or the encoding of a byte-order mark: some editors and shells write UTF-16 with one.</summary>
    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes.ToArray()), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }
}
