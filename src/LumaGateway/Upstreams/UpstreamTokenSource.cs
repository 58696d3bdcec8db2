using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// The current upstream tokens. Reloads <c>Luma:ApiKeyFile</c> when it changes. While the file is empty, unreadable or being written, the previous token
/// stays in use.
/// </summary>
internal sealed partial class UpstreamTokenSource(IOptions<LumaOptions> options, TimeProvider clock, ILogger<UpstreamTokenSource> logger) : BackgroundService
{
    private readonly string _file = options.Value.ApiKeyFile;
    private volatile UpstreamTokens _current = options.Value.ApiKeyFile.Length > 0
        ? UpstreamTokens.ReadFile(options.Value.ApiKeyFile) ?? throw new InvalidOperationException("Luma:ApiKeyFile became unreadable during the start.")
        : UpstreamTokens.Parse(options.Value.ApiKey)!;

    public UpstreamTokens Current => _current;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _file.Length == 0
        ? Task.CompletedTask
        : SecretFile.WatchAsync(
            () => UpstreamTokens.ReadFile(_file), static (current, other) => current.HasSameTokens(other), _current, Change, () => Log.FileUnreadable(logger), clock, stoppingToken);

    private void Change(UpstreamTokens tokens)
    {
        _current = tokens;
        Log.TokenChanged(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Information, "Luma:ApiKeyFile changed: the new upstream token is in use.")]
        public static partial void TokenChanged(ILogger logger);

        [LoggerMessage(3002, LogLevel.Warning, "Luma:ApiKeyFile is empty, unreadable or malformed: the previous upstream token stays in use.")]
        public static partial void FileUnreadable(ILogger logger);
    }
}
