using LumaGateway.Configuration;

namespace LumaGateway.Upstreams;

/// <summary>
/// The current tokens of one account. Reloads the account's <c>ApiKeyFile</c> when it changes. While the file is empty, unreadable or being written, the previous token
/// stays in use.
/// </summary>
internal sealed partial class UpstreamTokenSource(string account, AccountOptions options, TimeProvider clock, ILogger<UpstreamTokenSource> logger)
{
    private readonly string _file = options.ApiKeyFile;
    private volatile UpstreamTokens _current = options.ApiKeyFile.Length > 0
        ? UpstreamTokens.ReadFile(options.ApiKeyFile) ?? throw new InvalidOperationException("The ApiKeyFile of an account became unreadable during the start.")
        : UpstreamTokens.Parse(options.ApiKey)!;

    public UpstreamTokens Current => _current;

    /// <summary>Watches the file until the token is canceled. Returns at once without a file.</summary>
    public Task WatchAsync(CancellationToken stoppingToken) => _file.Length == 0
        ? Task.CompletedTask
        : SecretFile.WatchAsync(
            () => UpstreamTokens.ReadFile(_file), static (current, other) => current.HasSameTokens(other), _current, Change, () => Log.FileUnreadable(logger, account), clock, stoppingToken);

    private void Change(UpstreamTokens tokens)
    {
        _current = tokens;
        Log.TokenChanged(logger, account);
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Information, "The ApiKeyFile of account {Account} changed: the new upstream token is in use.")]
        public static partial void TokenChanged(ILogger logger, string account);

        [LoggerMessage(3002, LogLevel.Warning, "The ApiKeyFile of account {Account} is empty, unreadable or malformed: the previous upstream token stays in use.")]
        public static partial void FileUnreadable(ILogger logger, string account);
    }
}
