using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Holds the upstream token and keeps it current: <c>Luma:ApiKeyFile</c> is looked at every two seconds by content, which also sees the
/// symlink swap of a mounted Kubernetes secret. A file that is empty, unreadable or still being written keeps the old token.
/// </summary>
internal sealed partial class TokenSource(IOptions<LumaOptions> options, TimeProvider clock, ILogger<TokenSource> logger) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private readonly string _file = options.Value.ApiKeyFile;
    private UpstreamTokens? _candidate;
    private bool _isUnreadable;
    private volatile UpstreamTokens _current = options.Value.ApiKeyFile.Length > 0
        ? UpstreamTokens.ReadFile(options.Value.ApiKeyFile) ?? throw new InvalidOperationException("Luma:ApiKeyFile became unreadable during the start.")
        : UpstreamTokens.Parse(options.Value.ApiKey)!;

    public UpstreamTokens Current => _current;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_file.Length == 0)
        {
            return;
        }

        using var timer = new PeriodicTimer(LookEvery, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Look();
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    /// <summary>A new content counts once two looks in a row saw the same: a file in the middle of being written never does.</summary>
    private void Look()
    {
        var read = UpstreamTokens.ReadFile(_file);
        if (read is null && !_isUnreadable)
        {
            Log.FileUnreadable(logger);
        }

        _isUnreadable = read is null;

        if (read is not null && !read.SameAs(_current) && _candidate is not null && read.SameAs(_candidate))
        {
            _current = read;
            Log.TokenChanged(logger);
        }

        _candidate = read;
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Information, "The upstream token changed; the new one is used from now on.")]
        public static partial void TokenChanged(ILogger logger);

        [LoggerMessage(3002, LogLevel.Warning, "Luma:ApiKeyFile is empty, unreadable or malformed; the token known before stays in use.")]
        public static partial void FileUnreadable(ILogger logger);
    }
}
