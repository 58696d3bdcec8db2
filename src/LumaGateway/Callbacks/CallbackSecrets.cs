using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>
/// The secrets that make a callback address ours. The file is looked at again at most every two seconds; one that is missing, empty or malformed
/// keeps what was known. Thread-safe.
/// </summary>
internal sealed partial class CallbackSecrets(IOptions<CallbackOptions> options, TimeProvider clock)
{
    private const int MaxFileBytes = 4 * 1024;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private readonly string _file = options.Value.SecretFile;
    private readonly Lock _gate = new();
    private string[] _known = [];
    private DateTimeOffset _lookAt;

    public bool IsConfigured => _file.Length > 0;

    /// <summary>The last segment of a new create's callback address, signed with the first secret; null where there is none.</summary>
    public string? NewToken() => Current().FirstOrDefault() is { } secret ? CallbackToken.Create(secret, clock.GetUtcNow()) : null;

    /// <summary>Whether it is a secret, or a token that one of them signed. Takes as long for a wrong secret as for a right one.</summary>
    public bool Knows(string segment)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(segment));
        var known = false;
        foreach (var one in Current())
        {
            known |= CryptographicOperations.FixedTimeEquals(hash, SHA256.HashData(Encoding.UTF8.GetBytes(one)));
            known |= CallbackToken.IsGood(segment, one, clock.GetUtcNow());
        }

        return known;
    }

    /// <summary>Null where it holds no secrets, or anything else.</summary>
    public static string[]? ReadFile(string path)
    {
        try
        {
            var file = new FileInfo(path);
            var lines = file.Exists && file.Length <= MaxFileBytes
                ? File.ReadAllText(path).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                : [];
            return lines.Length is 1 or 2 && lines.All(line => Form().IsMatch(line)) ? lines : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private string[] Current()
    {
        lock (_gate)
        {
            if (IsConfigured && clock.GetUtcNow() is var now && now >= _lookAt)
            {
                _lookAt = now + LookEvery;
                _known = ReadFile(_file) ?? _known;
            }

            return _known;
        }
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{16,128}$")]
    private static partial Regex Form();
}
