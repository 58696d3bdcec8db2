namespace LumaGateway.Upstreams;

/// <summary>Watches the token files of all accounts.</summary>
internal sealed class TokenFileWatcher(UpstreamAccounts accounts) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(accounts.All.Select(account => account.Tokens.WatchAsync(stoppingToken)));
}
