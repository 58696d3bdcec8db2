using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>
/// The secrets that authenticate callbacks. The file is read again at most every two seconds. If it is missing, empty or malformed, the secrets read before
/// stay valid. Thread-safe.
/// </summary>
internal sealed partial class CallbackSecrets(IOptions<CallbackOptions> options, TimeProvider clock)
{
    private const int MaxFileBytes = 4 * 1024;

    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(2);

    private readonly string _file = options.Value.SecretFile;
    private readonly Lock _gate = new();
    private string[] _secrets = [];
    private DateTimeOffset _nextReadAt;

    public bool IsConfigured => _file.Length > 0;

    /// <summary>The last path segment of a create's callback URL, signed with the first secret; null if there is no secret.</summary>
    public string? CreateToken() => ReadCurrent().FirstOrDefault() is { } secret ? CallbackToken.Create(secret, clock.GetUtcNow()) : null;

    /// <summary>True if the segment is a secret, or an unexpired token signed with one. Takes the same time for wrong and right secrets.</summary>
    public bool IsValid(string segment)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(segment));
        var isValid = false;
        foreach (var secret in ReadCurrent())
        {
            isValid |= CryptographicOperations.FixedTimeEquals(hash, SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
            isValid |= CallbackToken.IsValid(segment, secret, clock.GetUtcNow());
        }

        return isValid;
    }

    /// <summary>The secrets of a file; null if it is unreadable or does not contain exactly one or two secrets.</summary>
    public static string[]? ReadFile(string path)
    {
        try
        {
            var file = new FileInfo(path);
            var lines = file.Exists && file.Length <= MaxFileBytes
                ? File.ReadAllText(path).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                : [];
            return lines.Length is 1 or 2 && lines.All(line => SecretPattern().IsMatch(line)) ? lines : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private string[] ReadCurrent()
    {
        lock (_gate)
        {
            if (IsConfigured && clock.GetUtcNow() is var now && now >= _nextReadAt)
            {
                _nextReadAt = now + ReadInterval;
                _secrets = ReadFile(_file) ?? _secrets;
            }

            return _secrets;
        }
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{16,128}$")]
    private static partial Regex SecretPattern();
}
