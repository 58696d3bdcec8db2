using System.Text;

namespace LumaGateway.Configuration;

/// <summary>Reads a file with a secret, and watches its changes. Never logs the content.</summary>
internal static class SecretFile
{
    private const int MaxBytes = 16 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Returns null if the file is missing, unreadable or larger than 16 KiB.</summary>
    public static string? ReadText(string path)
    {
        try
        {
            // Reads with a limit instead of checking FileInfo.Length, which is the size of the link for a symbolic link.
            using var file = File.OpenRead(path);
            Span<byte> bytes = stackalloc byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxBytes ? TextOf(bytes[..length]) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>
    /// Reads the file every two seconds and compares its content, which also detects the symbolic link swap of a mounted Kubernetes secret. New content is used after
    /// two reads with the same result, so that a partly written file is not used. Returns when the token is canceled.
    /// </summary>
    /// <param name="read">Reads and parses the file; returns null if the content is not usable.</param>
    /// <param name="isSame">Whether two contents are equal.</param>
    /// <param name="current">The current content.</param>
    /// <param name="changed">Called with new content.</param>
    /// <param name="unreadable">Called when the file becomes unusable; the current content stays in use.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="stoppingToken">Stops the watch.</param>
    public static async Task WatchAsync<T>(
        Func<T?> read, Func<T, T, bool> isSame, T current, Action<T> changed, Action unreadable, TimeProvider clock, CancellationToken stoppingToken)
        where T : class
    {
        T? candidate = null;
        var isUnreadable = false;
        using var timer = new PeriodicTimer(Interval, clock);
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

    /// <summary>Decodes UTF-8 or UTF-16, with or without a byte-order mark.</summary>
    private static string TextOf(ReadOnlySpan<byte> bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes.ToArray()), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }
}
