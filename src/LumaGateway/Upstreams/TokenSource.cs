using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Holds the upstream token and keeps it current: <see cref="SecretFile"/> follows <c>Luma:ApiKeyFile</c>. A file that is empty, unreadable or still being
/// written keeps the old token.
/// </summary>
internal sealed partial class TokenSource(IOptions<LumaOptions> options, TimeProvider clock, ILogger<TokenSource> logger) : BackgroundService
{
    private readonly string _file = options.Value.ApiKeyFile;
    private volatile UpstreamTokens _current = options.Value.ApiKeyFile.Length > 0
        ? UpstreamTokens.ReadFile(options.Value.ApiKeyFile) ?? throw new InvalidOperationException("Luma:ApiKeyFile became unreadable during the start.")
        : UpstreamTokens.Parse(options.Value.ApiKey)!;

    public UpstreamTokens Current => _current;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _file.Length == 0
        ? Task.CompletedTask
        : SecretFile.FollowAsync(
            () => UpstreamTokens.ReadFile(_file), static (one, other) => one.SameAs(other), _current, Change, () => Log.FileUnreadable(logger), clock, stoppingToken);

    private void Change(UpstreamTokens tokens)
    {
        _current = tokens;
        Log.TokenChanged(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Information, "The upstream token changed; the new one is used from now on.")]
        public static partial void TokenChanged(ILogger logger);

        [LoggerMessage(3002, LogLevel.Warning, "Luma:ApiKeyFile is empty, unreadable or malformed; the token known before stays in use.")]
        public static partial void FileUnreadable(ILogger logger);
    }
}
