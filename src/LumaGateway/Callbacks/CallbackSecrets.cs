using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>
/// The secrets that authenticate callbacks. Reloads <c>Callbacks:SecretFile</c> when it changes. While the file is empty, unreadable or being written, the
/// previous secrets stay valid. Thread-safe.
/// </summary>
internal sealed partial class CallbackSecrets(IOptions<CallbackOptions> options, TimeProvider clock, ILogger<CallbackSecrets> logger) : BackgroundService
{
    private readonly string _file = options.Value.SecretFile;
    private volatile string[] _secrets = options.Value.SecretFile is { Length: > 0 } file
        ? ReadFile(file) ?? throw new InvalidOperationException("Callbacks:SecretFile became unreadable during start-up.")
        : [];

    public bool IsConfigured => _file.Length > 0;

    /// <summary>The last path segment of a create's callback URL, signed with the first secret; null if there is no secret.</summary>
    public string? CreateToken() => _secrets.FirstOrDefault() is { } secret ? CallbackToken.Create(secret, clock.GetUtcNow()) : null;

    /// <summary>True if the segment is a secret, or an unexpired token signed with one. Takes the same time for wrong and right secrets.</summary>
    public bool IsValid(string segment)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(segment));
        var isValid = false;
        foreach (var secret in _secrets)
        {
            isValid |= CryptographicOperations.FixedTimeEquals(hash, SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
            isValid |= CallbackToken.IsValid(segment, secret, clock.GetUtcNow());
        }

        return isValid;
    }

    /// <summary>Returns null if the file is missing, unreadable, larger than 16 KiB, or does not contain one or two valid secrets.</summary>
    public static string[]? ReadFile(string path) => SecretFile.Read(path, static text => SecretFile.Split(text, SecretPattern().IsMatch));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => IsConfigured
        ? SecretFile.WatchAsync(
            () => ReadFile(_file), static (one, other) => one.SequenceEqual(other), _secrets, ReplaceSecrets, () => Log.FileUnreadable(logger), clock, stoppingToken)
        : Task.CompletedTask;

    private void ReplaceSecrets(string[] secrets)
    {
        _secrets = secrets;
        Log.SecretsChanged(logger);
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{16,128}$")]
    private static partial Regex SecretPattern();

    private static partial class Log
    {
        [LoggerMessage(4401, LogLevel.Information, "Callbacks:SecretFile changed; the gateway uses its new secrets.")]
        public static partial void SecretsChanged(ILogger logger);

        [LoggerMessage(4402, LogLevel.Warning, "Callbacks:SecretFile is empty, unreadable or malformed; the gateway keeps its previous secrets.")]
        public static partial void FileUnreadable(ILogger logger);
    }
}
