using System.Text;

namespace LumaGateway.Configuration;

/// <summary>Reads a file that holds a secret, and follows its changes. Never repeats what the file holds.</summary>
internal static class SecretFile
{
    private const int MaxBytes = 16 * 1024;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>Null where the file is missing, unreadable or over 16 KiB.</summary>
    public static string? ReadText(string path)
    {
        try
        {
            // Read with a bound instead of asking for the size: of a symlink that would be the link's own.
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
    /// Reads the file every two seconds by content, which also sees the symlink swap of a mounted Kubernetes secret. A new content counts once two reads in a row gave
    /// the same: a file that is still being written never does. Returns when the token is canceled.
    /// </summary>
    /// <param name="read">Reads and parses the file; null where it holds nothing usable.</param>
    /// <param name="isSame">Whether two contents say the same.</param>
    /// <param name="known">The content in use.</param>
    /// <param name="changed">Takes a new content into use.</param>
    /// <param name="unreadable">Called when the file becomes unusable; the known content stays in use.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="stoppingToken">Ends it.</param>
    public static async Task FollowAsync<T>(
        Func<T?> read, Func<T, T, bool> isSame, T known, Action<T> changed, Action unreadable, TimeProvider clock, CancellationToken stoppingToken)
        where T : class
    {
        T? candidate = null;
        var isUnreadable = false;
        using var timer = new PeriodicTimer(LookEvery, clock);
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
                if (found is not null && !isSame(found, known) && candidate is not null && isSame(found, candidate))
                {
                    known = found;
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

    /// <summary>Editors and shells may begin a file with a byte-order mark, UTF-16's included.</summary>
    private static string TextOf(ReadOnlySpan<byte> bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes.ToArray()), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }
}
